"""The sentences of an explanation, in both languages."""

from typing import Any

WORDS: dict[str, dict[str, Any]] = {
    "cell": {
        "en": "{version}: {metric} of {node} in {period} ({start} to {end}): base {base}",
        "zh": "{version}：{node} {period}（{start} 至 {end}）的 {metric}：基本目标 {base}",
    },
    "stretch": {"en": ", stretch {stretch}", "zh": "，挑战目标 {stretch}"},
    "carried": {
        "en": "Carried: this version takes effect on {effective}; months before keep what version {before} has.",
        "zh": "沿用：本版自 {effective} 生效，此前各月保持 {before} 版的数。",
    },
    "given": {"en": "Given: the plan states this target of the node.", "zh": "给定：计划直接写明该节点的目标。"},
    "pinned": {
        "en": "Set by hand: the cell stays as it is written, the rest absorbs the difference.",
        "zh": "手工设定：此格按所写保持不变，差额由其余各格吸收。",
    },
    "same_rate": {
        "en": "A rate is not split: each part has that of the nearest node above with one of its own.",
        "zh": "比率不分解：各部分沿用最近上级所设的比率。",
    },
    "reason": {"en": "  Reason: {reason}", "zh": "  理由：{reason}"},
    "sum_of_months": {"en": "Sum of its months: {months} = {total}", "zh": "为各月之和：{months} = {total}"},
    "sum_of_nodes": {
        "en": "Sum of the nodes below, which have targets of their own:",
        "zh": "为下级各节点之和（目标由下级写明）：",
    },
    "funnel": {
        "en": "Derived backwards through the funnel: how many it takes for the results planned, so many days earlier.",
        "zh": "由漏斗倒推：为达成计划结果所需的数量，并按所需天数提前。",
    },
    "season": {
        "en": "Season of {whole}: {amount}, less {carried} of past months and {held} set by hand within it, "
        "leaves {left} to be spread.",
        "zh": "{whole} 的季节性：{amount}，减去已过各月 {carried} 与其中手工设定 {held}，待分摊 {left}。",
    },
    "by_history": {
        "en": "  Weight of a month: the mean of its shares in fiscal years {years}, each year counting the same.",
        "zh": "  月权重：该月在 {years} 财年中占比的平均，各年同等计。",
    },
    "by_given": {"en": "  Weight of a month: as the plan gives it.", "zh": "  月权重：按计划所给。"},
    "by_blend": {
        "en": "  Weight of a month: its share in fiscal years {years} blended with the given weights.",
        "zh": "  月权重：{years} 财年占比与所给权重的加权。",
    },
    "by_working_days": {"en": "  Weight of a month: its working days.", "zh": "  月权重：按工作日数。"},
    "by_flat": {"en": "  Weight of a month: the same for each.", "zh": "  月权重：各月相同。"},
    "fell_back": {
        "en": " History was asked for; there is no full past fiscal year of it.",
        "zh": " （要求按历史，但尚无完整的过往财年。）",
    },
    "season_cells": {
        "en": "  Weights are shares of the months left for it: {months}; one in which nobody counts has none.",
        "zh": "  权重为待分摊各月之占比：{months}；无人计入的月份不占。",
    },
    "stretch_above": {
        "en": "Stretch: the {above} above the base are shared in the same way, around stretches that are set by hand.",
        "zh": "挑战目标：超出基本目标的 {above} 按同样办法分摊，手工设定的挑战目标先行扣除。",
    },
    "split": {
        "en": "Part of {parent}, which has {amount} in the month.",
        "zh": "为上级 {parent} 当月 {amount} 的一部分。",
    },
    "split_capacity": {
        "en": "  Split by capacity × potential of the people below; what is set by hand or has a target of its own is "
        "taken out before. Parts:",
        "zh": "  按下属人员的产能 × 潜力分配；手工设定或自有目标者先行扣除。各部分：",
    },
    "split_history": {
        "en": "  Split by results of the twelve months before the version, among those who count. Parts:",
        "zh": "  按生效前十二个月业绩分配，仅限当月计入者。各部分：",
    },
    "split_given": {"en": "  Split by the weights that the plan gives. Parts:", "zh": "  按计划所给权重分配。各部分："},
    "split_equal": {"en": "  Split equally among those who count. Parts:", "zh": "  在当月计入者中平均分配。各部分："},
    "part": {
        "en": "    {node}: {base} (capacity {capacity}, weight {weight}, {how})",
        "zh": "    {node}：{base}（产能 {capacity}，权重 {weight}，{how}）",
    },
    "more_parts": {"en": "    and {n} more: {base}", "zh": "    另有 {n} 个：{base}"},
    "capacity": {
        "en": "  Capacity = quota {quota} × ramp {ramp}{tenure} × active share {active} × {counted} of {days} working "
        "days = {capacity}; × potential {potential} = {weight}",
        "zh": "  产能 = 定额系数 {quota} × 爬坡 {ramp}{tenure} × 有效工时 {active} × 计入 {counted}/{days} 个工作日 = "
        "{capacity}；× 潜力 {potential} = {weight}",
    },
    "tenure": {"en": " (month {month} of tenure)", "zh": "（入职第 {month} 个月）"},
    "product": {
        "en": "  {of} × {weight} = {result} (rounding added {rounding})",
        "zh": "  {of} × {weight} = {result}（取整 {rounding}）",
    },
    "in_turn": {
        "en": "  A count is whole: what rounding keeps from somebody in a month comes to them in a later one.",
        "zh": "  计数取整：某月因取整少得的，在以后的月份补上。",
    },
    "above": {"en": "Above it, {node}:", "zh": "其上级 {node}："},
    "how": {
        "en": {"split": "split", "pinned": "set by hand", "season": "own target", "carried": "carried"},
        "zh": {"split": "按权重", "pinned": "手工设定", "season": "自有目标", "carried": "沿用"},
    },
}
