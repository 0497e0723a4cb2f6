"""What the columns of a file hold: text, numbers, dates, yes or no, or nothing, by some of its records."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import polars as pl

from flows.ingest.readers.batch import ROW

Kind = Literal["text", "number", "date", "boolean", "empty"]

FIRST_LOOKED_AT, EVERY = 256, 1024
"""The records by which columns are known: the first ones, and of the rest those whose number this divides. They depend
on nothing but the file, however it is read: whole, or only where it differs from last night's."""
SPARSE = 0.05
"""Share of the records looked at below which those that fill a column are too few to tell what it holds."""
PREVAILING = 0.9
"""Share of the looked-at values that makes a column one of numbers, dates or booleans; the rest are slips."""
_DATE = (
    r"^(?:\d{4}[-/]\d{1,2}(?:[-/]\d{1,2})?|\d{4}\.\d{1,2}\.\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d{4}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?)(?:[t ].*)?$"
)
_NUMBER = r"^[-+(]?\s?[¥￥$€£]?\s?[-+]?\d[\d,.' ]*(e[-+]?\d+)?\s?(%|万|亿|元|万元|k)?\)?$"
_BOOLEAN = r"^(true|false|yes|no|是|否)$"


def looked_at(row: str, first_row: int) -> str:
    """Which rows are looked at, as SQL."""
    return f"({row} < {first_row + FIRST_LOOKED_AT} or {row} % {EVERY} = 0)"


class ColumnKinds:
    """What the columns of a file hold, as far as the records tell that are looked at.

    Args:
        first_row: number of the first record; None: that of the first one seen.
    """

    def __init__(self, first_row: int | None = None) -> None:
        self._first_row = first_row
        self._rows = 0
        self._seen: dict[str, Counter[Kind]] = {}

    def see(self, rows: pl.DataFrame) -> None:
        """Look at a batch of raw rows."""
        if rows.is_empty():
            return
        if self._first_row is None:
            self._first_row = int(rows[ROW][0])
        number = pl.col(ROW)
        some = rows.filter((number < self._first_row + FIRST_LOOKED_AT) | (number % EVERY == 0))
        self._rows += some.height
        for name in some.columns:
            if name != ROW:
                self._seen.setdefault(name, Counter()).update(_kinds(some[name]))

    def of(self, columns: Sequence[str]) -> dict[str, str]:
        """The kind of each column, in their order; ``empty`` where nothing was seen, none where it was too little."""
        found = {}
        for name in columns:
            seen = self._seen.get(name, Counter())
            found[name] = "" if 0 < sum(seen.values()) < SPARSE * self._rows else _prevailing(seen)
        return found


def _kinds(values: pl.Series) -> Counter[Kind]:
    """Kinds of some values."""
    stated = values.drop_nulls()
    count, dtype = len(stated), values.dtype
    if not count:
        return Counter()
    if dtype.is_numeric():
        return Counter({"number": count})
    if dtype.is_temporal():
        return Counter({"date": count})
    if dtype == pl.Boolean:
        return Counter({"boolean": count})
    if dtype != pl.String:
        return Counter({"text": count})
    sample = stated.str.strip_chars().str.to_lowercase()
    sample = sample.filter(sample != "")
    found: dict[Kind, int] = {
        "boolean": int(sample.str.contains(_BOOLEAN).sum()),
        "date": int(sample.str.contains(_DATE).sum()),
    }
    found["number"] = int((sample.str.contains(_NUMBER) & ~sample.str.contains(_DATE)).sum())
    return Counter({**found, "text": len(sample) - sum(found.values())})


def _prevailing(seen: Counter[Kind]) -> Kind:
    total = sum(seen.values())
    if not total:
        return "empty"
    kind, count = seen.most_common(1)[0]
    return kind if count >= PREVAILING * total else "text"
