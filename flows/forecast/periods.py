"""Months, quarters and fiscal years: which one a day is in, and which ones a forecast looks at."""

from datetime import date
from typing import Literal

import polars as pl

PeriodKind = Literal["month", "quarter", "year"]

MONTHS: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "year": 12}
"""Length of each kind of period in months."""

MONTHS_AHEAD = 12
"""A forecast looks at every period that starts within this many months, the current one included."""


def period_start(day: date, kind: PeriodKind, fiscal_year_start_month: int) -> date:
    """First day of the period that ``day`` is in; quarters and years count from the start of the fiscal year."""
    return _month(_start_index(_month_index(day), MONTHS[kind], fiscal_year_start_month))


def periods_ahead(as_of: date, fiscal_year_start_month: int) -> pl.DataFrame:
    """The periods a forecast of ``as_of`` covers: those that contain it, and those that start in the 11 months after.

    Returns:
        Columns period_kind, period_start_on.
    """
    last = _month_index(as_of) + MONTHS_AHEAD - 1
    rows = [
        (kind, _month(start))
        for kind, length in MONTHS.items()
        for start in range(_start_index(_month_index(as_of), length, fiscal_year_start_month), last + 1, length)
    ]
    return pl.DataFrame(rows, schema={"period_kind": pl.String, "period_start_on": pl.Date}, orient="row")


def starts_of(day: str, kind: PeriodKind, fiscal_year_start_month: int) -> pl.Expr:
    """``period_start`` of a column of days."""
    months = pl.col(day).dt.year().cast(pl.Int32) * 12 + pl.col(day).dt.month().cast(pl.Int32) - 1
    offset = fiscal_year_start_month - 1
    start = (months - offset).floordiv(MONTHS[kind]) * MONTHS[kind] + offset
    return pl.date(start.floordiv(12), start % 12 + 1, 1)


def _month_index(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def _start_index(index: int, length: int, fiscal_year_start_month: int) -> int:
    offset = fiscal_year_start_month - 1
    return (index - offset) // length * length + offset
