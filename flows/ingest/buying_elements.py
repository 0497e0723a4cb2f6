"""Lists of buying elements as people write them in one cell: 预算、决策人 or ``Budget; Timing``, in any order.

Each list becomes our words in a fixed order, so that the same set is the same text and reordering it is no change.
"""

import re
from functools import cache

import polars as pl

from flows.ingest.values import Parsed, folded
from schemas.opportunity import BUYING_ELEMENTS

_SEPARATORS = re.compile(r"[;,、|/\n+&；，和与及]+|\band\b", re.IGNORECASE)  # noqa: RUF001 (full-width)
# As HubSpot joins the choices of one field, and as people write them; B, A, N, T as sales methods abbreviate them.
_WORDS = {
    "budget": ("budget", "has_budget", "budget confirmed", "b", "预算", "有预算", "预算已确认", "预算明确", "资金"),
    "decision_maker": (
        "decision_maker", "decision maker", "decisionmaker", "decision-maker", "authority", "economic buyer", "a",
        "决策人", "决策者", "决策链", "关键人", "拍板人", "决策人已确认", "权限",
    ),
    "need": ("need", "needs", "pain", "requirement", "n", "需求", "痛点", "需求明确", "需求已确认"),
    "timing": (
        "timing", "time", "timeline", "timeframe", "time frame", "t",
        "时间", "时机", "采购时间", "时间表", "采购计划", "时间明确", "时间已确认",
    ),
}  # fmt: skip
_NOTHING = ("-", "/", "无", "暂无", "没有", "none", "n/a", "na", "nil")


def read_buying_elements(text: pl.Series) -> Parsed:
    """The lists in our words, null where none is stated; fault ``unknown_value`` where a part means nothing."""
    distinct = text.unique().drop_nulls()
    read = [_read(cell) for cell in distinct]
    lists = pl.Series([found for found, _ in read], dtype=pl.String)
    unread = pl.Series([is_unknown for _, is_unknown in read], dtype=pl.Boolean)
    return Parsed(
        text.replace_strict(distinct, lists, default=None, return_dtype=pl.String),
        {"unknown_value": text.replace_strict(distinct, unread, default=False, return_dtype=pl.Boolean)},
    )


def buying_element_words() -> tuple[str, ...]:
    """A wording of each element, as an example of what can be read."""
    return tuple(dict.fromkeys((*_WORDS, "预算", "决策人", "需求", "时间")))


def _read(cell: str) -> tuple[str | None, bool]:
    if folded(cell) in map(folded, _NOTHING):
        return None, False
    meant = {_lookup().get(folded(part)) for part in _SEPARATORS.split(cell) if part.strip()}
    if None in meant:
        return None, True
    return ";".join(element for element in BUYING_ELEMENTS if element in meant) or None, False


@cache
def _lookup() -> dict[str, str]:
    return {folded(word): element for element, words in _WORDS.items() for word in words}
