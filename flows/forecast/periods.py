"""Months, quarters, halves and fiscal years: which one a day is in, and which ones a forecast looks at.

Where they begin, the night's calendar says (``marts.dim_date``): months of the calendar or of weeks are the same here.
"""

from datetime import date

import polars as pl

from flows.config.fiscal import PERIOD_KINDS, PeriodKind
from flows.errors import PermanentError

MONTHS_AHEAD = 12
"""A forecast looks at every period that starts within this many months, the current one included."""


def periods_ahead(as_of: date, days: pl.DataFrame) -> pl.DataFrame:
    """The periods a forecast of ``as_of`` covers: those that contain it, and those that start in the 11 months after.

    Args:
        as_of: the night.
        days: day and ``<kind>_start_on`` of each kind of period.

    Returns:
        Columns period_kind, period_start_on.

    Raises:
        PermanentError: the calendar does not hold the night.
    """
    now = days.filter(pl.col("day") == as_of)
    if now.is_empty():
        raise PermanentError(f"marts.dim_date: expected the days around {as_of}, found none of that day")
    months = days["month_start_on"].unique().sort()
    ahead = months.filter(months >= now["month_start_on"].item())
    last = ahead[min(MONTHS_AHEAD, len(ahead)) - 1]
    parts = []
    for kind in PERIOD_KINDS:
        starts = days[f"{kind}_start_on"].unique().sort()
        covered = starts.filter((starts >= now[f"{kind}_start_on"].item()) & (starts <= last))
        parts.append(
            pl.DataFrame({"period_start_on": covered}).select(
                period_kind=pl.lit(kind), period_start_on="period_start_on"
            )
        )
    return pl.concat(parts)


def with_starts(frame: pl.DataFrame, days: pl.DataFrame, kind: PeriodKind) -> pl.DataFrame:
    """``frame`` (with a column ``day``) and the period of one kind that each day is in; days beyond the calendar go."""
    starts = days.select("day", period_kind=pl.lit(kind), period_start_on=f"{kind}_start_on")
    return frame.join(starts, on="day", how="inner")
