"""The date of a run: a slip of the keyboard must not become the newest night."""

from datetime import date

import pytest

from flows.errors import ConfigError, PermanentError
from flows.operate.as_of import settle_as_of

TODAY = date(2026, 11, 20)
KNOWN = [date(2026, 11, 18), date(2026, 11, 19)]


def test_a_run_without_a_date_is_the_night_that_has_just_ended() -> None:
    assert settle_as_of(None, today=TODAY, known=KNOWN) == (TODAY, False)
    assert settle_as_of(None, today=TODAY, known=[]) == (TODAY, False)


def test_a_date_before_the_newest_night_is_a_rebuild_and_the_newest_itself_is_not() -> None:
    assert settle_as_of(date(2026, 11, 18), today=TODAY, known=KNOWN) == (date(2026, 11, 18), True)
    assert settle_as_of(date(2026, 11, 19), today=TODAY, known=KNOWN) == (date(2026, 11, 19), False)


def test_a_slip_of_the_year_is_refused_before_it_shuts_out_every_earlier_export() -> None:
    with pytest.raises(ConfigError, match="2027-11-20.*Check the year"):
        settle_as_of(date(2027, 11, 20), today=TODAY, known=KNOWN)


def test_old_data_may_be_caught_up_night_by_night_and_a_first_night_may_be_any() -> None:
    assert settle_as_of(date(2017, 12, 31), today=TODAY, known=[date(2017, 12, 30)]) == (date(2017, 12, 31), False)
    assert settle_as_of(date(2031, 1, 1), today=TODAY, known=[]) == (date(2031, 1, 1), False)


def test_a_scheduled_run_does_not_rebuild_in_silence_when_the_newest_night_lies_in_the_future() -> None:
    with pytest.raises(PermanentError, match="2026-12-01.*has not come yet"):
        settle_as_of(None, today=TODAY, known=[*KNOWN, date(2026, 12, 1)])
