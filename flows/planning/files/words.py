"""What cells of a planning workbook say instead of the keywords of the plan file, in the language of its reader.

Keywords of a plan file are English. A Chinese workbook shows and offers words for them; all are read in both. What is
free text in a plan and happens to be such a word is written with an apostrophe before it, and so stays as it is.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from flows.config.settings import Language
from flows.ingest.headers import header_name, simplified

Words = Mapping[str, str]
"""Keyword → Chinese word."""

_METRICS: Words = {
    "bookings": "签约额",
    "margin": "毛利",
    "cash_due": "应收到期额",
    "cash_collected": "实际回款额",
    "collection_rate": "回款率",
    "won_count": "赢单数",
    "new_customers": "新增客户数",
    "created_count": "新建商机数",
    "leads": "线索数",
    "qualified_leads": "合格线索数",
    "activities": "活动数",
    "store_visits": "门店拜访数",
    "numeric_distribution": "数值铺货率",
    "sell_through": "动销率",
}
_LENGTHS: Words = {"month": "月", "quarter": "季度", "half": "半年", "year": "年"}
_PERIODS: Words = {
    "year": "全年",
    "H1": "上半年",
    "H2": "下半年",
    **{f"Q{n}": f"第{name}季度" for n, name in enumerate("一二三四", start=1)},
}
_BY_FIELD: Mapping[tuple[str, str], Words] = {
    ("plan", "item"): {"year": "财年", "flavour": "类型"},
    ("plan", "value"): {"project": "项目型", "channel": "渠道型", "saas": "订阅型", "small": "小微型"},
    ("goals", "level"): {"goal": "目标", "initiative": "举措", "action": "行动"},
    ("versions", "split"): {"capacity": "按产能", "history": "按历史", "given": "按权重", "equal": "平均"},
    ("versions", "people_from"): {"headcount": "编制表"},
    ("seasonality", "by"): {
        "history": "按历史",
        "given": "按权重",
        "blend": "历史与权重混合",
        "working_days": "按工作日",
        "flat": "平均",
    },
    ("pins", "period"): _PERIODS,
    ("incentives", "period"): _LENGTHS,
    ("draws", "period"): _LENGTHS,
    ("incentives", "kind"): {"commission": "提成", "bonus": "奖金", "kicker": "专项奖"},
    ("incentives", "tier_mode"): {"marginal": "分段计提", "whole": "全额计提"},
    ("incentives", "roles"): {"rep": "销售", "manager": "经理", "leader": "负责人"},
    ("funnel", "rate"): {"history": "按历史"},
    ("funnel", "value"): {"history": "按历史"},
    ("funnel", "lead_days"): {"history": "按历史"},
}
_FAMILIES: Words = {"entered": "进入阶段", "activities": "活动"}
_NODES: Words = {"region": "区域", "team": "团队", "rep": "人员"}
_METRIC_FIELDS = frozenset({"metric", "to", "conditions.metric"})
_NODE_FIELDS = frozenset({"node", "applies_to"})
_ALSO: Mapping[str, tuple[str, ...]] = {
    "全年": ("年度", "整年", "年"),
    "平均": ("均分", "平摊"),
    "销售": ("销售代表",),
    "季度": ("季",),
    "月": ("月度",),
    "年": ("年度",),
    "区域": ("大区",),
    "人员": ("销售", "代表"),
    **{
        f"第{said}季度": (f"{said}季度", f"第{number}季度", f"{number}季度")
        for number, said in enumerate("一二三四", 1)
    },
}
"""What people write instead of the words; read, never written."""
_COMPANY = {"company": "公司"}


def words_of(section: str, field: str) -> Words:
    """The keywords that a column may hold, with their words; of metrics and nodes, those without a member."""
    if field in _METRIC_FIELDS:
        return _METRICS
    if field in _NODE_FIELDS:
        return _COMPANY
    return _BY_FIELD.get((section, field), {})


def said(section: str, field: str, text: str, language: Language) -> str:
    """What a cell says for a value; :func:`meant` gives the value back."""
    if language == "zh":
        word = words_of(section, field).get(text)
        if word is not None:
            return word
        family, _, member = text.partition(":")
        word = _prefixes(field).get(family) if member and member == member.strip() else None
        if word is not None:
            return f"{word}:{member}"
    bare = text.lstrip("'")
    return f"'{text}" if bare and meant(section, field, bare) != bare else text


def meant(section: str, field: str, text: str) -> str:
    """The value that a cell says: the keyword of a word, a text that is escaped as it stands, any other as it is."""
    if text.startswith("'"):
        bare = text.lstrip("'")
        return text[1:] if bare and meant(section, field, bare) != bare else text
    keyword = _read(section, field).get(name_key(text))
    if keyword is not None:
        return keyword
    prefixes = {name_key(word): family for family, word in _spelled(_prefixes(field))}
    match = re.fullmatch(r"\s*([^:：]+?)\s*[:：]\s*(.*)", text, re.DOTALL) if prefixes else None
    if match and name_key(match[1]) in prefixes:
        return f"{prefixes[name_key(match[1])]}:{match[2]}"
    return text


def _prefixes(field: str) -> Words:
    return _FAMILIES if field in _METRIC_FIELDS else _NODES if field in _NODE_FIELDS else {}


@cache
def _read(section: str, field: str) -> Mapping[str, str]:
    """Words as they are compared → keyword; keywords that are typed in other letters are read, too."""
    words = words_of(section, field)
    found = {name_key(keyword): keyword for keyword in words}
    return {name_key(word): keyword for keyword, word in _spelled(words)} | found


def _spelled(words: Words) -> Iterator[tuple[str, str]]:
    for keyword, word in words.items():
        for spelling in (*_ALSO.get(word, ()), word):
            yield keyword, spelling


def name_key(text: str) -> str:
    """A name as it is compared: width, case, blanks and traditional characters do not count."""
    return simplified(header_name(text)).casefold().replace(" ", "")
