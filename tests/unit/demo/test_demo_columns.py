"""How columns are written, and the working time underneath: exact for any value."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.demo.calendar import WorkingTime, epoch_day
from flows.demo.columns import account_names, grouped, plain

TIME = WorkingTime.of_china(date(2023, 11, 1), date(2026, 11, 20))


@given(st.lists(st.integers(min_value=0, max_value=10**13), min_size=1, max_size=20))
def test_amounts_are_written_exactly(hundredths: list[int]) -> None:
    values = np.array(hundredths, dtype=np.int64)
    assert [f"{value // 100:,}.{value % 100:02}" for value in hundredths] == grouped(values).to_list()
    assert [f"{value // 100}.{value % 100:02}" for value in hundredths] == plain(values).to_list()


def test_customers_have_names_of_their_own() -> None:
    numbers = np.arange(1, 60_001)
    names = account_names(numbers, np.zeros(len(numbers), np.int64))
    assert names.n_unique() == len(numbers)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 17), False),
        (date(2026, 10, 10), True),  # a Saturday worked for the National Day
        (date(2026, 10, 7), False),
        (date(2026, 11, 21), False),
        (date(2026, 11, 20), True),
    ],
)
def test_working_days_follow_the_chinese_calendar(day: date, works: bool) -> None:
    assert (epoch_day(day) in TIME.working) is works


@given(st.dates(min_value=date(2026, 10, 1), max_value=date(2026, 12, 31)))
def test_the_part_of_a_period_that_has_passed_grows_to_one(day: date) -> None:
    start, end = date(2026, 10, 1), date(2027, 1, 1)
    passed = TIME.elapsed(start, end, day)
    assert 0 <= passed <= TIME.elapsed(start, end, day + timedelta(days=1)) <= 1
    assert TIME.elapsed(start, end, date(2026, 12, 31)) == 1


@given(st.floats(min_value=0, max_value=700))
def test_moments_fall_into_office_hours_of_working_days(moment: float) -> None:
    (seconds,) = TIME.seconds(np.array([moment]))
    assert seconds // 86_400 in TIME.working
    assert 9 * 3600 <= seconds % 86_400 < 18.5 * 3600
