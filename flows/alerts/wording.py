"""What mails say, in Chinese and English: labels, subjects and the sentence that opens each notice."""

from collections.abc import Sequence

from flows.alerts.deviations import Deviation
from flows.alerts.lifecycle import OpenAlert, Transition, period_end
from flows.config.fiscal import FiscalCalendar
from flows.config.settings import Language
from flows.report.notation import metric_name, one_line, period_name, share, short_quantity

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "warn": "进度落后",
        "critical": "进度严重落后",
        "worsened": "进一步恶化",
        "recovered": "已恢复",
        "period_ended": "期间已结束",
        "target": "本期目标",
        "actual": "已完成",
        "expected_to_date": "按进度应完成",
        "behind": "落后于进度",
        "ahead": "领先于进度",
        "left": "距目标缺口",
        "over": "超出目标",
        "reached": "已达标",
        "pace": "进度指数",
        "attainment": "达成率",
        "days_left": "剩余工作日",
        "calendar_estimated": "（放假调休安排尚未公布，按法定节假日估算）",
        "needed_per_day": "此后每个工作日需完成",
        "open_report": "打开报告",
        "as_of": "数据截至",
        "opened_on": "预警自",
        "period_end": "期末",
        "also": "其余节点",
        "untold": "另有 {count} 个节点，见报告。",
        "on_behalf_of": "以下节点的负责人没有可用的邮箱，由您代收：",
        "definition": "进度指数 = 已完成 ÷（本期目标 × 已过工作日 ÷ 全部工作日）。"
        "同一预警只在出现、恶化、解除时各通知一次。",
        "reasons": "原因",
        "run": "运行",
        "what_to_do": "下一步",
        "untold_reasons": "另有 {count} 行，见日志。",
        "audit_refused_subject": "【未发布】{company} {as_of} 夜间任务：审计未通过",
        "audit_refused_title": "审计未通过，本次结果没有发布",
        "audit_refused_meaning": "看板和报表仍为上一次通过审计的版本；没有发出任何进度预警。",
        "audit_refused_next": "核对以上原因对应的源文件，修正后运行：planloop refresh --as-of {as_of}",
        "night_failed_subject": "【失败】{company} {as_of} 夜间任务没有完成",
        "night_failed_title": "夜间任务没有完成",
        "night_failed_meaning": "看板和报表仍为上一次发布的版本。",
        "night_failed_next": "排除以上原因后再次运行，将从中断处继续：planloop refresh --as-of {as_of}",
        "sources_lack_subject": "【数据提醒】{company} {as_of} 有数据源过期或被略过",
        "sources_lack_title": "结果已发布，但有数据源过期或被略过",
        "sources_lack_meaning": "这些数据源保持上一次的状态；其余数据照常更新。恢复之前不再重复提醒。",
        "sources_lack_next": "联系负责导出的人；修正后运行：planloop refresh --as-of {as_of}",
    },
    "en": {
        "warn": "Behind pace",
        "critical": "Far behind pace",
        "worsened": "Worse than before",
        "recovered": "Recovered",
        "period_ended": "Period over",
        "target": "Target of the period",
        "actual": "Actual to date",
        "expected_to_date": "Expected to date",
        "behind": "Behind the pace by",
        "ahead": "Ahead of the pace by",
        "left": "Gap to the target",
        "over": "Above the target by",
        "reached": "reached",
        "pace": "Pace index",
        "attainment": "Attainment",
        "days_left": "Working days left",
        "calendar_estimated": " (adjusted days not announced yet; statutory ones count)",
        "needed_per_day": "Needed per working day",
        "open_report": "Open the report",
        "as_of": "As of",
        "opened_on": "Alert since",
        "period_end": "Period ends",
        "also": "Further nodes",
        "untold": "{count} further nodes: see the report.",
        "on_behalf_of": "The owners of these nodes have no usable address, so the notice comes to you. It is for: ",
        "definition": "Pace index = actual ÷ (target × working days passed ÷ all working days of the period). "
        "You are told once when an alert opens, once if it becomes critical, and once when it ends.",
        "reasons": "Why",
        "run": "Run",
        "what_to_do": "What to do",
        "untold_reasons": "{count} further lines: see the log.",
        "audit_refused_subject": "[Not published] {company} {as_of}: the audit refused the night",
        "audit_refused_title": "The audit refused tonight's result; nothing was published",
        "audit_refused_meaning": "Dashboards still show the last version that passed. No pace alerts were sent.",
        "audit_refused_next": "Check the source files behind these reasons, mend them, then run: "
        "planloop refresh --as-of {as_of}",
        "night_failed_subject": "[Failed] {company} {as_of}: the night did not finish",
        "night_failed_title": "The night did not finish",
        "night_failed_meaning": "Dashboards still show the last published version.",
        "night_failed_next": "Remove the cause and run again; it goes on where it stopped: "
        "planloop refresh --as-of {as_of}",
        "sources_lack_subject": "[Data] {company} {as_of}: sources are stale or were left out",
        "sources_lack_title": "Published, but sources are stale or were left out",
        "sources_lack_meaning": "These sources stay as they last were; all others are up to date. You are told once.",
        "sources_lack_next": "Ask whoever makes the export; once it is mended, run: planloop refresh --as-of {as_of}",
    },
}


def title(about: Deviation | OpenAlert, language: Language, fiscal: FiscalCalendar) -> str:
    """What a notice is about: ``华东 · 2026年11月 · 签约额``."""
    period = period_name(about.period_kind, about.period_start_on, language, fiscal=fiscal)
    return f"{one_line(about.node_name)} · {period} · {metric_name(about.metric, language)}"


def headline(steps: Sequence[Transition], currency: str, language: Language, fiscal: FiscalCalendar) -> str:
    """Subject of a mail about ``steps``, told by the first of them."""
    first, others = steps[0], len(steps) - 1
    about, deviation = first.about, first.deviation
    period = period_name(about.period_kind, about.period_start_on, language, with_year=False, fiscal=fiscal)
    metric, node = metric_name(about.metric, language), one_line(about.node_name, 40)
    pace = share(about.measured)
    behind = short_quantity(about.metric, deviation.behind_amount, currency, language) if deviation else ""
    if language == "zh":
        also = f"，另有 {others} 项" if others else ""
        if first.reason == "recovered":
            return f"【预警解除】{node} {period} {metric} 已恢复，进度 {pace}{also}"
        if first.reason == "period_ended":
            return f"【预警关闭】{node} {period} {metric} 期间已结束{f'，达成 {pace}' if deviation else ''}{also}"
        mark = "严重预警" if first.severity == "critical" else "进度预警"
        return f"【{mark}】{node} {period} {metric} 进度 {pace}（落后 {behind}{also}）"
    also = f", and {others} more" if others else ""
    if first.reason == "recovered":
        return f"[Recovered] {node}, {period}: {metric} back at {pace} of pace{also}"
    if first.reason == "period_ended":
        return f"[Closed] {node}, {period}: {metric}, the period is over{f' at {pace}' if deviation else ''}{also}"
    mark = "Critical" if first.severity == "critical" else "Pace alert"
    return f"[{mark}] {node}, {period}: {metric} at {pace} of pace ({behind} behind{also})"


def lead(step: Transition, currency: str, language: Language, fiscal: FiscalCalendar) -> str:
    """The sentence that opens a notice."""
    about, deviation = step.about, step.deviation
    pace = share(about.measured)
    ended = period_end(about, fiscal)
    if step.reason == "period_ended":
        if language == "zh":
            outcome = f"最终达成率 {pace}" if deviation else f"最近一次通知时进度为 {pace}"
            return f"该期间已于 {ended} 结束，预警随之关闭。{outcome}。"
        outcome = f"Attainment was {pace} in the end." if deviation else f"Pace was {pace} when it was last told."
        return f"The period ended on {ended}, and the alert with it. {outcome}"
    if step.reason == "recovered":
        return f"进度已回到 {pace}，预警解除。" if language == "zh" else f"Pace is back at {pace}; the alert is closed."
    if deviation is None:
        raise ValueError("an alert opens or worsens by a measurement")
    behind = short_quantity(about.metric, deviation.behind_amount, currency, language)
    needed = short_quantity(about.metric, deviation.needed_per_day, currency, language)
    days = deviation.working_days_remaining
    if language == "zh":
        rest = f"剩余 {days} 个工作日，每日需完成 {needed}。" if days else "已无剩余工作日。"
        return f"进度为 {pace}，比应有进度落后 {behind}。{rest}"
    rest = f"{days} working days are left; each has to bring {needed}." if days else "No working day is left."
    return f"Pace is {pace}: {behind} behind where the plan expects it to be today. {rest}"
