"""What the values of a column tell, each distinct value looked at once: how often it stands there, what it reads as."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from flows.ingest.amounts import NumberFormat, decimals, floats, integers
from flows.ingest.values import as_text
from flows.onboard.dates import DateReading, read_dates
from flows.onboard.vocabulary import truths, vocabulary, word_key

MARKS = ((".", ","), (",", "."), (",", " "), (".", " "), (".", "'"), (",", "'"))
"""Decimal and thousands marks that come into question; where several read the same, the first is meant."""
SAMPLES = 3
_MOSTLY = 0.9
_FEW = 60
_CENTS = 2
_MAIL = r"^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$"
_SIGN = re.compile(r"(?:US|HK|NT|S|A|C|R)?\$|[€£¥￥₩₹₫฿]|\b(?:Rs|kr|zł)\b|\b[A-Z]{3}\b")


@dataclass(frozen=True)
class Profile:
    """One column of a table."""

    name: str
    raw: pl.Series

    @cached_property
    def text(self) -> pl.Series:
        """The values as text, blank ones null."""
        return as_text(self.raw).alias("value")

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Distinct values and how often each stands: ``value``, ``count``; the most frequent first."""
        counted = self.text.drop_nulls().value_counts(sort=True)
        return counted.sort(["count", "value"], descending=[True, False])

    @cached_property
    def nulls(self) -> tuple[str, ...]:
        """Words for nothing that stand in it; what is such a word only beside dates and numbers counts only there."""
        known = vocabulary()["nulls"]
        present = [value for value in self.counts["value"] if value in known["typed"]]
        if not present:
            return ()
        others = self.counts["value"].filter(~self.counts["value"].is_in(present))
        typed = bool(len(others)) and (read_dates(others) is not None or _number_share(others) >= _MOSTLY)
        return tuple(value for value in present if typed or value in known["text"])

    @cached_property
    def distinct(self) -> pl.Series:
        """Distinct values without words for nothing."""
        values = self.counts["value"]
        return values.filter(~values.is_in(self.nulls)) if self.nulls else values

    @property
    def filled(self) -> int:
        """Number of values."""
        return int(self.counts.filter(pl.col("value").is_in(self.distinct.implode()))["count"].sum())

    @property
    def is_filled(self) -> bool:
        """Whether every row has a value."""
        return self.filled == len(self.raw)

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.is_filled and len(self.distinct) == len(self.raw)

    @property
    def samples(self) -> tuple[str, ...]:
        """A few values, the most frequent first."""
        return tuple(self.distinct.head(SAMPLES))

    @property
    def is_moment(self) -> bool:
        """Whether the file types it as dates or moments."""
        return self.raw.dtype in (pl.Date, pl.Datetime)

    @cached_property
    def dates(self) -> DateReading | None:
        """How it reads as dates; None where it does not."""
        return None if self.is_moment or self.raw.dtype.is_numeric() else read_dates(self.distinct)

    @property
    def is_date(self) -> bool:
        """Whether its values are dates."""
        return self.is_moment or self.dates is not None

    @cached_property
    def number_share(self) -> float:
        """Share of the distinct values that read as numbers with some marks."""
        return 1.0 if self.raw.dtype.is_numeric() else _number_share(self.distinct)

    @property
    def is_number(self) -> bool:
        """Whether nine in ten of its values are numbers, and there is one."""
        return bool(len(self.distinct)) and self.number_share >= _MOSTLY

    @property
    def is_words(self) -> bool:
        """Whether it holds few different words: a coded column."""
        return 0 < len(self.distinct) <= _FEW and not self.is_number and not self.is_date

    @property
    def is_mail(self) -> bool:
        """Whether its values are mail addresses."""
        return self._share(_MAIL) >= _MOSTLY

    @property
    def is_currency(self) -> bool:
        """Whether its values are ISO 4217 codes."""
        return self._share("^[A-Z]{3}$") >= _MOSTLY

    @property
    def is_boolean(self) -> bool:
        """Whether its values are two words for yes and no."""
        return self.raw.dtype == pl.Boolean or (
            0 < len(self.distinct) <= 4 and all(word_key(value) in truths() for value in self.distinct)
        )

    @cached_property
    def signs(self) -> tuple[str, ...]:
        """Currency signs and codes that stand beside its numbers."""
        return tuple(dict.fromkeys(sign for value in self.distinct for sign in _SIGN.findall(value)))

    def _share(self, pattern: str) -> float:
        return float(self.distinct.str.contains(pattern).mean() or 0) if len(self.distinct) else 0.0  # type: ignore[arg-type]


def profiles(rows: pl.DataFrame) -> dict[str, Profile]:
    """A profile a column."""
    return {name: Profile(name, rows[name]) for name in rows.columns}


def _number_share(values: pl.Series) -> float:
    if not len(values):
        return 0.0
    return 1 - min(int(_faults(values, marks, pl.Float64()).sum()) for marks in MARKS) / len(values)


def read_numbers(columns: Sequence[tuple[Profile, pl.DataType, str | None]]) -> list[tuple[str, str]]:
    """The marks with which the numbers of a file read best.

    Args:
        columns: number columns, each with the type it is read as and its unit.

    Returns:
        One pair of marks, or those that read equally many values, and differently.
    """
    texts = [(profile, dtype, unit) for profile, dtype, unit in columns if profile.raw.dtype == pl.String]
    if not texts:
        return [MARKS[0]]
    faults = {
        marks: sum(int(_faults(profile.distinct, marks, dtype, unit).sum()) for profile, dtype, unit in texts)
        for marks in MARKS
    }
    fewest = min(faults.values())
    kept: list[tuple[tuple[str, str], list[pl.Series]]] = []
    for marks in MARKS:
        if faults[marks] > fewest:
            continue
        read = [_parsed(profile.distinct, marks, dtype, unit).values for profile, dtype, unit in texts]
        if not any(all(a.equals(b) for a, b in zip(read, other, strict=True)) for _, other in kept):
            kept.append((marks, read))
    return [marks for marks, _ in kept]


def _parsed(values: pl.Series, marks: tuple[str, str], dtype: pl.DataType, unit: str | None = None):  # type: ignore[no-untyped-def]
    written = NumberFormat(*marks, unit)
    if isinstance(dtype, pl.Decimal):
        return decimals(values, written, (), scale=dtype.scale)
    return integers(values, written, ()) if dtype == pl.Int64 else floats(values, written, ())


def _faults(values: pl.Series, marks: tuple[str, str], dtype: pl.DataType, unit: str | None = None) -> pl.Series:
    """The values that do not read so; money with three decimals is none: 5,000 has its thousands marked."""
    masks = list(_parsed(values, marks, dtype, unit).faults.values())
    if isinstance(dtype, pl.Decimal) and dtype.scale == _CENTS:
        masks.append(values.str.contains(rf"^\D*[0-9]{{1,3}}{re.escape(marks[0])}[0-9]{{3}}(?:[^0-9]|$)"))
    return (
        pl.DataFrame([mask.alias(str(at)) for at, mask in enumerate(masks)])
        .select(pl.any_horizontal(pl.all()))
        .to_series()
    )
