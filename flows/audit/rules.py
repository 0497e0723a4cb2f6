"""The rules of the audit: what each promises, in both languages, and how its measurements are judged."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["equal", "no_fall", "no_rise", "at_most"]
Unit = Literal["rows", "files", "cells", "amount", "days", "hours", "percent"]


@dataclass(frozen=True)
class Rule:
    """One rule; it holds when every measurement made for it holds.

    Attributes:
        id: name in messages, documentation and the measurement frame.
        verdict: ``equal``: found is expected; ``no_fall`` and ``no_rise``: found lies at most ``limit`` (a share) below
            or above expected; ``at_most``: found is no more than ``limit``.
        unit: of expected and found; amounts are in hundredths, as counted.
        en: what is promised.
        zh: the same in Chinese.
        limit: see ``verdict``; None for ``settings.audit.max_change``.
        refuses: whether a failure keeps the night from being published; else it is only shown.
    """

    id: str
    verdict: Verdict
    unit: Unit
    en: str
    zh: str
    limit: float | None = None
    refuses: bool = True


RULES: tuple[Rule, ...] = (
    Rule(
        "files_accepted",
        "equal",
        "files",
        "Every configured source delivered a file, and no file was refused.",
        "每个数据源都有文件,且没有文件被整体拒绝。",
    ),
    Rule(
        "sources_left_out",
        "equal",
        "files",
        "No source was left out tonight; one that was keeps the state of the last night that had it.",
        "今晚没有数据源被略过;被略过的数据源保留上一次的状态。",
        refuses=False,
    ),
    Rule(
        "files_accounted",
        "equal",
        "rows",
        "For every file the published accounting has as many accepted + quarantined rows as the file had.",
        "每个文件:读入行数 = 接受行数 + 隔离行数,且与发布的数据质量表一致。",
    ),
    Rule(
        "changes_recorded",
        "equal",
        "rows",
        "The change log that was built from holds tonight's new, changed and deleted rows, no more and no fewer.",
        "构建所用的变更日志与今晚登记的新增、变更、删除行数一致。",
    ),
    Rule(
        "opportunities_complete",
        "equal",
        "rows",
        "fct_opportunity has every opportunity that the change log knows, by currency.",
        "fct_opportunity 的商机数与变更日志一致(按币种)。",
    ),
    Rule(
        "opportunity_amounts_kept",
        "equal",
        "amount",
        "The amounts of fct_opportunity, in the deals' own currencies, add up to those of the change log.",
        "fct_opportunity 的原币金额合计与变更日志一致。",
    ),
    Rule(
        "documents_complete",
        "equal",
        "rows",
        "fct_booking has every contract or order line booked up to the as-of date.",
        "fct_booking 包含截至当日的全部已签合同或订单行。",
    ),
    Rule(
        "document_amounts_kept",
        "equal",
        "amount",
        "The amounts of fct_booking, in their own currencies, add up to those of the contracts or order lines.",
        "fct_booking 的原币金额合计与合同或订单行一致。",
    ),
    Rule(
        "attainment_equals_bookings",
        "equal",
        "amount",
        "The company's attainment in every month, quarter, half and year is what was booked in it.",
        "公司各月、季、半年、年的完成额等于当期签约额。",
    ),
    Rule(
        "attainment_equals_won_deals",
        "equal",
        "amount",
        "The company's number of deals won in every month, quarter, half and year is that of fct_opportunity.",
        "公司各月、季、半年、年的赢单数等于 fct_opportunity 的赢单数。",
    ),
    Rule(
        "attainment_rolls_up",
        "equal",
        "cells",
        "What is done and open at the nodes below add up to every region, team and the company.",
        "各期下级节点的完成额与在跟金额之和等于上级节点。",
    ),
    Rule(
        "forecast_rolls_up",
        "equal",
        "cells",
        "Forecasts of the nodes below add up to every region, team and the company.",
        "各期下级节点的预测之和等于上级节点。",
    ),
    Rule(
        "waterfall_balances",
        "equal",
        "cells",
        "Start, what joined, changed and left are the end, to the cent and the deal, at every node, in every period.",
        "各期各节点:期初、移入、增减、移出与期末在金额和商机数上完全平衡。",
    ),
    Rule(
        "waterfall_follows_on",
        "equal",
        "cells",
        "The open pipeline of every period begins where the period before ended, at every node.",
        "各节点每一期的期初在手金额等于上一期的期末。",
    ),
    Rule(
        "waterfall_ends_tonight",
        "equal",
        "amount",
        "The running month, quarter and year end at the open deals of fct_opportunity.",
        "当前月、季、年的期末等于 fct_opportunity 的在手商机金额。",
    ),
    Rule(
        "one_night",
        "equal",
        "rows",
        "Every row of every mart is of tonight's as-of date and run.",
        "每张表的每一行都属于今晚的日期和运行批次。",
    ),
    Rule(
        "tables_keep_their_rows",
        "no_fall",
        "rows",
        "No table lost more than the allowed share of its rows since the last published night.",
        "与上次发布相比,任何表的行数减少都不超过允许比例。",
    ),
    Rule(
        "tables_do_not_swell",
        "no_rise",
        "rows",
        "No fact or dimension grew by more than the allowed share since the last published night.",
        "与上次发布相比,事实表和维度表的行数增加不超过允许比例。",
    ),
    Rule(
        "amounts_do_not_fall",
        "no_fall",
        "amount",
        "Total amounts did not fall by more than the allowed share since the last published night.",
        "与上次发布相比,金额合计的减少不超过允许比例。",
    ),
    Rule(
        "amounts_do_not_jump",
        "no_rise",
        "amount",
        "Total amounts did not rise by more than the allowed share (a wrong unit makes them a hundredfold).",
        "与上次发布相比,金额合计的增加不超过允许比例(单位弄错会放大百倍)。",
    ),
    Rule(
        "exports_do_not_go_back",
        "at_most",
        "days",
        "No CRM export is older than the one of the night before, by its newest record.",
        "CRM 导出不早于前一晚的导出(按最新记录判断)。",
        limit=1,
    ),
    Rule(
        "sources_are_fresh",
        "at_most",
        "hours",
        "The newest record of every source is no older than the source is held to, in hours of working days.",
        "各数据源最新记录的时间不超过规定的小时数(按工作日计)。",
        limit=0,
        refuses=False,
    ),
    Rule(
        "stages_are_configured",
        "equal",
        "rows",
        "Every opportunity stands in a stage of stages.yaml; else it counts as open, in (unknown), and weighs nothing.",
        "每条商机所处的阶段都在 stages.yaml 中;否则按在手商机计入 (unknown) 阶段,不计加权金额。",
        refuses=False,
    ),
    Rule(
        "deviations_are_measured",
        "equal",
        "rows",
        "Every deviation that is judged has a finite measurement.",
        "每条参与判断的偏差都有有效数值。",
    ),
    Rule(
        "deviations_are_plausible",
        "at_most",
        "percent",
        "Not nearly every node is critical at once; that points to the plan or the inputs, not to the sales force.",
        "并非几乎所有节点同时严重偏离;否则更可能是计划或数据有误。",
        limit=90,
        refuses=False,
    ),
)

BY_ID = {rule.id: rule for rule in RULES}
EVERYTHING_MEASURED = Rule(
    "everything_measured",
    "equal",
    "rows",
    "Every rule that applies tonight was measured; a rule without a measurement would pass unseen.",
    "今晚适用的每条规则都已测量;没有测量的规则会被误认为通过。",
)
