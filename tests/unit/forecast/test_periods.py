"""Which periods a forecast covers, in years of months and of weeks."""

from datetime import date

import polars as pl
import pytest

from flows.config.fiscal import PERIOD_KINDS, FiscalCalendar
from flows.errors import PermanentError
from flows.forecast.periods import periods_ahead, with_starts
from tests.unit.forecast.conftest import days

WEEKS = FiscalCalendar(2, "4-4-5", "saturday", "nearest")


def starts(as_of: date, fiscal: FiscalCalendar) -> dict[str, list[date]]:
    periods = periods_ahead(as_of, days(fiscal))
    return {kind: periods.filter(period_kind=kind)["period_start_on"].to_list() for kind in PERIOD_KINDS}


def test_a_forecast_covers_twelve_months_and_every_period_that_starts_in_them():
    found = starts(date(2025, 12, 15), FiscalCalendar(4))
    assert (found["month"][0], found["month"][-1], len(found["month"])) == (date(2025, 12, 1), date(2026, 11, 1), 12)
    assert found["quarter"] == [date(2025, 10, 1), *(date(2026, month, 1) for month in (1, 4, 7, 10))]
    assert found["half"] == [date(2025, 10, 1), date(2026, 4, 1), date(2026, 10, 1)]
    assert found["year"] == [date(2025, 4, 1), date(2026, 4, 1)]


def test_months_of_weeks_are_months_too():
    # The year begins on 1 February 2026, the Sunday after the Saturday nearest to 31 January; quarters of 4 + 4 + 5.
    found = starts(date(2026, 3, 15), WEEKS)
    assert found["month"][:4] == [date(2026, 3, 1), date(2026, 3, 29), date(2026, 5, 3), date(2026, 5, 31)]
    assert found["quarter"][:2] == [date(2026, 2, 1), date(2026, 5, 3)]
    assert found["half"][:2] == [date(2026, 2, 1), date(2026, 8, 2)]
    assert found["year"][0] == date(2026, 2, 1)


def test_a_day_beyond_the_calendar_is_in_no_period():
    frame = pl.DataFrame({"day": [date(2026, 3, 28), date(2026, 3, 29), date(2099, 1, 1)]})
    found = with_starts(frame, days(WEEKS), "month")
    assert found["period_start_on"].to_list() == [date(2026, 3, 1), date(2026, 3, 29)]


def test_a_calendar_without_the_night_is_refused():
    with pytest.raises(PermanentError, match="2099-01-01"):
        periods_ahead(date(2099, 1, 1), days(WEEKS))
