"""Working days by hand: China's adjusted days, years not yet published, overrides, other countries."""

from datetime import date

import polars as pl
import pytest

from flows.errors import ConfigError
from flows.warehouse.calendar import CALENDAR, working_day_calendar


def row(frame: pl.DataFrame, day: date) -> dict:
    [found] = frame.filter(pl.col("day") == day).rows(named=True)
    return found


# State Council notices for 2025 (国办发明电〔2024〕12号) and 2026 (国办发明电〔2025〕7号).
WORKED_WEEKENDS = [
    date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
    date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
]  # fmt: skip
WEEKDAYS_OFF = [
    date(2025, 1, 28), date(2025, 2, 4), date(2025, 5, 2), date(2025, 5, 5), date(2025, 10, 8),
    date(2026, 1, 2), date(2026, 2, 16), date(2026, 2, 23), date(2026, 10, 7),
]  # fmt: skip


def test_china_works_and_rests_as_the_state_council_announced():
    frame = working_day_calendar(date(2025, 1, 1), date(2026, 12, 31), "CN")
    adjusted = frame.filter("is_adjusted")
    assert adjusted.filter("is_working_day")["day"].to_list() == WORKED_WEEKENDS
    assert set(WEEKDAYS_OFF) <= set(adjusted.filter(~pl.col("is_working_day"))["day"])
    assert frame["is_published"].all()


@pytest.mark.parametrize(("month", "days"), [(1, 19), (2, 19), (5, 19), (10, 18), (11, 20)])
def test_working_days_of_months_of_2025_counted_by_hand(month, days):
    frame = working_day_calendar(
        date(2025, month, 1), date(2025, month, 30 if month == 11 else 28 if month == 2 else 31), "CN"
    )
    assert frame["is_working_day"].sum() == days


def test_a_year_that_is_not_announced_yet_is_flagged():
    frame = working_day_calendar(date(2026, 12, 31), date(2035, 1, 1), "CN")
    assert row(frame, date(2026, 12, 31))["is_published"]
    assert not row(frame, date(2035, 1, 1))["is_published"]
    assert not row(frame, date(2035, 1, 1))["is_working_day"], "the statutory days still hold"


def test_overrides_count_and_make_their_year_known():
    frame = working_day_calendar(
        date(2035, 1, 1), date(2035, 1, 31), "CN", working_days=[date(2035, 1, 6)], holidays_off=[date(2035, 1, 10)]
    )
    saturday, wednesday = row(frame, date(2035, 1, 6)), row(frame, date(2035, 1, 10))
    assert (saturday["is_working_day"], saturday["is_adjusted"]) == (True, True)
    assert (wednesday["is_working_day"], wednesday["is_adjusted"]) == (False, True)
    assert frame["is_published"].all()


def test_a_country_whose_holidays_follow_from_rules_is_always_published():
    frame = working_day_calendar(date(2040, 7, 1), date(2040, 7, 8), "US")
    assert frame["is_published"].all()
    assert [day.day for day in frame.filter(~pl.col("is_working_day"))["day"]] == [1, 4, 7, 8]
    assert row(frame, date(2040, 7, 4))["holiday_name"] == "Independence Day"


def test_an_ordinary_week_is_the_countrys_own():
    friday, sunday = working_day_calendar(date(2025, 2, 7), date(2025, 2, 9), "SA").rows(named=True)[::2]
    assert (friday["is_working_day"], sunday["is_working_day"]) == (False, True)
    assert not friday["is_adjusted"]
    assert not sunday["is_adjusted"]


def test_names_do_not_depend_on_the_locale(monkeypatch):
    for locale in ("en_US.UTF-8", "th_TH.UTF-8"):
        monkeypatch.setenv("LANGUAGE", locale)
        monkeypatch.setenv("LANG", locale)
        frame = working_day_calendar(date(2025, 10, 1), date(2025, 10, 1), "CN")
        assert frame["holiday_name"].to_list() == ["国庆节"]


def test_every_day_comes_once_with_the_stated_types():
    frame = working_day_calendar(date(2023, 12, 30), date(2024, 3, 1), "CN")
    assert dict(frame.schema) == CALENDAR
    assert frame["day"].to_list() == pl.date_range(date(2023, 12, 30), date(2024, 3, 1), eager=True).to_list()


def test_mistakes_are_said_before_the_night_begins():
    day = date(2025, 1, 1)
    with pytest.raises(ConfigError, match="no holidays are known for 'XX'"):
        working_day_calendar(day, day, "XX")
    with pytest.raises(ConfigError, match="2025-01-01 is listed under working_days and under holidays"):
        working_day_calendar(day, day, "CN", working_days=[day], holidays_off=[day])
