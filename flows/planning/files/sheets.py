"""The sheets of the planning workbook: which part of a plan stands in which, under which headings in both languages.

Columns are named as in the plan file. Lists run down: an entry with several tiers has as many rows, and repeats its key
in each. An empty cell states nothing; :data:`NONE` states that there is nothing (``left_on`` of who stays after all).
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel

from flows.config.plan.model import Version
from flows.config.settings import Language

Kind = Literal["text", "number", "day", "flag", "period"]
NONE: dict[Language, str] = {"zh": "(无)", "en": "(none)"}
FLAGS: dict[Language, tuple[str, str]] = {"zh": ("否", "是"), "en": ("no", "yes")}

MONTHS = tuple(f"M{number:02}" for number in range(1, 13))
"""Fiscal months, as headings and as periods of a plan."""

_HEADINGS: dict[str, tuple[str, str]] = {
    "version": ("版本", "Version"),
    "id": ("编号", "Id"),
    "name": ("名称", "Name"),
    "level": ("层级", "Level"),
    "parent": ("上级", "Parent"),
    "dri": ("责任人", "DRI"),
    "due_on": ("截止日期", "Due on"),
    "budget": ("预算", "Budget"),
    "item": ("项目", "Item"),
    "value": ("值", "Value"),
    "effective_on": ("生效日期", "Effective on"),
    "decided_on": ("决定日期", "Decided on"),
    "decided_by": ("决定人", "Decided by"),
    "reason": ("原因", "Reason"),
    "people_from": ("人员来源", "People from"),
    "split": ("拆分方式", "Split"),
    "metric": ("指标", "Metric"),
    "node": ("节点", "Node"),
    "segment": ("细分", "Segment"),
    "base": ("基准目标", "Base"),
    "stretch": ("挑战目标", "Stretch"),
    "stretch_ratio": ("挑战倍数", "Stretch ratio"),
    "currency": ("币种", "Currency"),
    "goal": ("所属目标", "Goal"),
    "proposals.growth": ("按增长", "Growth"),
    "proposals.trend": ("按趋势", "Trend"),
    "proposals.capacity": ("按产能", "Capacity"),
    "proposals.blend.growth": ("增长权重", "Blend: growth"),
    "proposals.blend.trend": ("趋势权重", "Blend: trend"),
    "proposals.blend.capacity": ("产能权重", "Blend: capacity"),
    "period": ("期间", "Period"),
    **{month: (month, month) for month in MONTHS},
    "user_id": ("人员编号", "User id"),
    "region": ("区域", "Region"),
    "team": ("团队", "Team"),
    "hired_on": ("入职日期", "Hired on"),
    "left_on": ("离职日期", "Left on"),
    "counts_from": ("计入起始日", "Counts from"),
    "ramp": ("爬坡曲线", "Ramp"),
    "quota": ("定额比例", "Quota"),
    "active_share": ("销售时间占比", "Active share"),
    "potential": ("潜力", "Potential"),
    "shares": ("逐月产能", "Shares by month"),
    "by": ("依据", "By"),
    "years": ("参考年数", "Years"),
    "history_share": ("历史占比", "History share"),
    "weights": ("权重", "Weights"),
    "weight": ("权重", "Weight"),
    "rate": ("比率", "Rate"),
    "quota_per_head": ("人均定额", "Quota per head"),
    "expected_attainment": ("预期达成率", "Expected attainment"),
    "to": ("转化为", "To"),
    "lead_days": ("提前天数", "Lead days"),
    "name_en": ("英文名", "Name, English"),
    "name_zh": ("中文名", "Name, Chinese"),
    "kind": ("类型", "Kind"),
    "tiers.at_least": ("达成率不低于", "Tier: at least"),
    "tiers.rate": ("档位比率", "Tier: rate"),
    "tier_mode": ("分档方式", "Tier mode"),
    "target_pay": ("目标奖金", "Target pay"),
    "per_unit": ("每单位金额", "Per unit"),
    "cap": ("封顶", "Cap"),
    "conditions.metric": ("条件指标", "Condition: metric"),
    "conditions.attainment_at_least": ("条件达成率", "Condition: attainment at least"),
    "conditions.value_at_least": ("条件数值", "Condition: value at least"),
    "applies_to": ("适用节点", "Applies to"),
    "roles": ("适用角色", "Roles"),
    "clawback": ("退单扣回", "Clawback"),
    "active": ("有效", "Active"),
    "record_id": ("商机或合同编号", "Record id"),
    "share": ("份额", "Share"),
    "monthly": ("每月金额", "Monthly"),
    "from_on": ("自", "From"),
    "until_on": ("至", "Until"),
    "recoverable": ("可追回", "Recoverable"),
    "max_growth": ("增长上限", "Max growth"),
    "max_over_assignment": ("超额分配上限", "Max over-assignment"),
    "min_capacity": ("产能下限", "Min capacity"),
    "min_coverage": ("覆盖倍数下限", "Min coverage"),
    "min_probability": ("达成概率下限", "Min probability"),
}


@dataclass(frozen=True)
class Column:
    """A column of a sheet; ``field`` is dotted where it stands in something within the entry.

    Attributes:
        runs_down: it is part of a list, whose values stand in the entry's rows, one in each.
    """

    field: str
    kind: Kind
    runs_down: bool = False

    def heading(self, language: Language) -> str:
        """As a reader of this language sees it."""
        return _HEADINGS[self.field][language == "en"]


@dataclass(frozen=True)
class Sheet:
    """A sheet: the section of a version (or of the plan) that it holds, and its columns."""

    section: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def title(self, language: Language) -> str:
        """Its name in a workbook of this language."""
        return self.zh if language == "zh" else self.en


def _columns(*spoken: str) -> tuple[Column, ...]:
    """``base#`` is a number, ``due_on@`` a day, ``trend?`` yes or no, ``period~`` a period; ``…*`` runs down."""
    kinds: dict[str, Kind] = {"#": "number", "@": "day", "?": "flag", "~": "period"}
    found = []
    for one in spoken:
        field = one.rstrip("*")
        kind = kinds.get(field[-1], "text")
        found.append(Column(field.rstrip("#@?~"), kind, one.endswith("*")))
    return tuple(found)


_ABOUT = ("version", "metric", "node", "segment")
PLAN = Sheet("plan", "计划", "Plan", _columns("item", "value"))
GOALS = Sheet(
    "goals", "举措", "Initiatives", _columns("level", "id", "parent", "name", "dri", "due_on@", "metric", "budget#")
)
VERSIONS = Sheet(
    "versions",
    "版本",
    "Versions",
    _columns("id", "effective_on@", "decided_on@", "decided_by", "reason", "split", "people_from"),
)
SEASONALITY = Sheet(
    "seasonality",
    "季节",
    "Seasonality",
    _columns(*_ABOUT, "by", "years#", "history_share#", "weights#*"),
    ("metric", "node", "segment"),
)
SECTIONS = (
    Sheet(
        "targets",
        "目标",
        "Targets",
        _columns(
            *_ABOUT, "base#", "stretch#", "stretch_ratio#", "currency", "goal", "dri", "due_on@", "proposals.growth#",
            "proposals.trend?", "proposals.capacity?", "proposals.blend.growth#", "proposals.blend.trend#",
            "proposals.blend.capacity#",
        ),
    ),
    Sheet(
        "pins", "指定值", "Pins", _columns("version", "metric", "node", "period~", "base#", "stretch#", "reason")
    ),
    Sheet("withdrawn", "撤销", "Withdrawn", _columns(*_ABOUT, "period~", "reason")),
    Sheet(
        "people",
        "人员",
        "People",
        _columns(
            "version", "user_id", "name", "region", "team", "hired_on@", "left_on@", "counts_from@", "ramp", "quota#",
            "active_share#", "potential#",
        ),
    ),
    Sheet("ramps", "爬坡", "Ramps", _columns("version", "id", "shares#*"), ("id",)),
    Sheet(
        "capacity", "产能", "Capacity", _columns("version", "metric", "quota_per_head#", "expected_attainment#")
    ),
    Sheet("funnel", "漏斗", "Funnel", _columns("version", "metric", "to", "rate#", "value#", "lead_days#")),
    Sheet(
        "incentives",
        "激励",
        "Incentives",
        _columns(
            "version", "id", "name_en", "name_zh", "kind", "metric", "period", "tiers.at_least#*", "tiers.rate#*",
            "tier_mode", "target_pay#", "per_unit#", "cap#", "conditions.metric*", "conditions.attainment_at_least#*",
            "conditions.value_at_least#*", "applies_to*", "roles*", "clawback?", "active?",
        ),
        ("id",),
    ),
    Sheet("splits", "拆分", "Splits", _columns("version", "record_id", "user_id", "share#", "reason")),
    Sheet(
        "draws",
        "预支",
        "Draws",
        _columns("version", "user_id", "monthly#", "from_on@", "until_on@", "period", "recoverable?"),
    ),
)  # fmt: skip
"""Sections whose entries are lists in a version."""
PINS_BY_MONTH = Sheet(
    "pins_by_month",
    "逐月指定值",
    "Pins by month",
    _columns("version", "metric", "node", *(f"{month}#" for month in MONTHS), "reason"),
)
"""Pins as people keep them, a month a column; read, and written empty: a plan holds each as a pin of its own."""
NAMED = (
    Sheet("split_weights", "权重", "Weights", _columns("version", "node", "weight#")),
    Sheet("budget_rates", "汇率", "Rates", _columns("version", "currency", "rate#")),
)
"""Sections that are one number a name."""
CHECK = Sheet(
    "check",
    "检查",
    "Check",
    _columns("version", "max_growth#", "max_over_assignment#", "min_capacity#", "min_coverage#", "min_probability#"),
)
SHEETS = (
    PLAN,
    VERSIONS,
    GOALS,
    *SECTIONS[:2],
    PINS_BY_MONTH,
    *SECTIONS[2:5],
    SEASONALITY,
    *SECTIONS[5:],
    *NAMED,
    CHECK,
)


def entry_model(section: str) -> type[BaseModel]:
    """The model of a section's entries."""
    annotation: Any = Version.model_fields[section].annotation
    while not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        annotation = get_args(annotation)[0]
    return annotation


def needed(sheet: Sheet) -> list[Column]:
    """The columns without which no row of a sheet says anything."""
    model = Version if sheet is VERSIONS else entry_model(sheet.section) if sheet in SECTIONS else None
    required = {name for name, field in model.model_fields.items() if field.is_required()} if model else set()
    return [column for column in sheet.columns if column.field in required | {"version"}]
