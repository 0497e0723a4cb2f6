"""Which period a day is in, for calendar and fiscal years, and which periods a forecast covers."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.forecast.periods import MONTHS, period_start, periods_ahead, starts_of


@pytest.mark.parametrize(
    ("day", "kind", "first_month", "start"),
    [
        (date(2026, 5, 15), "month", 1, date(2026, 5, 1)),
        (date(2026, 5, 15), "quarter", 1, date(2026, 4, 1)),
        (date(2026, 5, 15), "year", 1, date(2026, 1, 1)),
        (date(2026, 3, 31), "year", 4, date(2025, 4, 1)),
        (date(2026, 4, 1), "year", 4, date(2026, 4, 1)),
        (date(2026, 1, 31), "quarter", 2, date(2025, 11, 1)),
        (date(2026, 2, 1), "quarter", 2, date(2026, 2, 1)),
    ],
)
def test_a_period_starts_where_the_fiscal_year_says(day, kind, first_month, start):
    assert period_start(day, kind, first_month) == start


@given(
    day=st.dates(date(1990, 1, 1), date(2100, 1, 1)), kind=st.sampled_from(list(MONTHS)), first_month=st.integers(1, 12)
)
def test_columns_of_days_get_the_same_starts_as_single_days(day, kind, first_month):
    frame = pl.DataFrame({"day": [day]})
    assert frame.select(starts_of("day", kind, first_month)).item() == period_start(day, kind, first_month)


def test_a_forecast_covers_twelve_months_and_every_period_that_starts_in_them():
    periods = periods_ahead(date(2025, 12, 15), 4)
    starts = {kind: periods.filter(pl.col("period_kind") == kind)["period_start_on"].to_list() for kind in MONTHS}
    assert (starts["month"][0], starts["month"][-1], len(starts["month"])) == (date(2025, 12, 1), date(2026, 11, 1), 12)
    assert starts["quarter"] == [date(2025, 10, 1), *(date(2026, month, 1) for month in (1, 4, 7, 10))]
    assert starts["year"] == [date(2025, 4, 1), date(2026, 4, 1)]
