"""Snoozed deals: who may put what aside until when, and that a night that has begun never changes afterwards."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import ConfigError, PermanentError
from flows.state import runs
from flows.state.database import open_state
from flows.state.snoozes import next_night, put_aside, snoozes, snoozes_on, take_up

MONDAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 2, 0)  # noqa: DTZ001 (stored without zone)


@pytest.fixture
def state(tmp_path: Path):
    """An empty state database."""
    return open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")


def aside(state, deal: str, days: int, *, today: date = MONDAY, reason: str = "waits for budget"):
    """Snooze for some days from today on."""
    until = today + timedelta(days=days)
    return put_aside(state, deal, until=until, reason=reason, by="li.na", today=today, now=NOW)


def ran(state, as_of: date, outcome: str) -> None:
    """A run of a night that ended in some way; None is still running."""
    run_id = runs.next_run_id(state, as_of)
    runs.start(state, run_id, as_of, is_rebuild=False, code_fingerprint="c", config_fingerprint="f", now=NOW)
    if outcome != "running":
        runs.finish(state, run_id, state=outcome, exit_code=0, message=None, now=NOW)


def deals(state, day: int) -> list[str]:
    """Deals that are aside on a night, counted from Monday."""
    return sorted(str(row["opportunity_id"]) for row in snoozes_on(state, MONDAY + timedelta(days=day)))


def test_a_deal_is_aside_from_the_next_night_until_before_its_day(state):
    aside(state, "A", 3)
    assert [deals(state, day) for day in (-1, 0, 1, 2, 3, 4)] == [[], ["A"], ["A"], ["A"], [], []]
    [made] = snoozes(state)
    assert (made.reason, made.snoozed_by, made.snoozed_at) == ("waits for budget", "li.na", NOW)


def test_a_deal_that_is_taken_up_is_back_from_the_next_night_on(state):
    aside(state, "A", 9)
    aside(state, "B", 9)
    assert take_up(state, "A", by="wang.wei", today=MONDAY + timedelta(days=2)) == MONDAY + timedelta(days=2)
    assert [deals(state, day) for day in (1, 2, 3)] == [["A", "B"], ["B"], ["B"]]
    assert {made.opportunity_id: made.ended_by for made in snoozes(state)} == {"A": "wang.wei", "B": None}


def test_a_new_snooze_takes_the_place_of_the_one_before(state):
    aside(state, "A", 9, reason="first")
    aside(state, "A", 3, today=MONDAY + timedelta(days=1), reason="second")
    reasons = [[row["reason"] for row in snoozes_on(state, MONDAY + timedelta(days=day))] for day in range(5)]
    assert reasons == [["first"], ["second"], ["second"], ["second"], []]


@pytest.mark.parametrize("outcome", ["published", "running", "killed"])
def test_a_night_that_has_begun_is_not_changed(state, outcome):
    ran(state, MONDAY + timedelta(days=4), outcome)
    assert next_night(state, MONDAY) == MONDAY + timedelta(days=5)
    aside(state, "A", 8)
    assert [deals(state, day) for day in (0, 4, 5, 7, 8)] == [[], [], ["A"], ["A"], []]


@pytest.mark.parametrize("outcome", ["failed", "refused"])
def test_a_night_of_which_nothing_remains_does_not_count(state, outcome):
    ran(state, MONDAY + timedelta(days=4), outcome)
    assert next_night(state, MONDAY) == MONDAY


@pytest.mark.parametrize("days", [-400, -1, 0])
def test_a_day_that_has_come_is_refused(state, days):
    with pytest.raises(ConfigError, match="Expected --until after the next night, which is 2026-11-16"):
        aside(state, "A", days)
    assert snoozes(state) == []


def test_a_snooze_without_a_reason_is_refused(state):
    with pytest.raises(ConfigError, match="Expected a reason"):
        aside(state, "A", 3, reason="  ")


def test_only_what_is_aside_can_be_taken_up(state):
    aside(state, "A", 2)
    with pytest.raises(PermanentError, match="found no snooze of B"):
        take_up(state, "B", by="x", today=MONDAY)
    with pytest.raises(PermanentError, match="found no snooze of A"):
        take_up(state, "A", by="x", today=MONDAY + timedelta(days=2))


ACTIONS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 12), st.booleans(), st.booleans()), min_size=1, max_size=12
)


@settings(max_examples=30, deadline=None)
@given(actions=ACTIONS)
def test_what_a_published_night_saw_it_sees_again_whatever_is_said_later(tmp_path_factory, actions):
    state = open_state(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.sqlite'}")
    seen: dict[date, list] = {}
    for day, (deal, days, is_snooze, is_night) in enumerate(actions):
        today = MONDAY + timedelta(days=day)
        try:
            if is_snooze:
                aside(state, deal, days, today=today)
            else:
                take_up(state, deal, by="x", today=today)
        except PermanentError:
            pass
        if is_night:
            ran(state, today, "published")
            seen[today] = snoozes_on(state, today)
    assert {night: snoozes_on(state, night) for night in seen} == seen
    assert all(len({row["opportunity_id"] for row in rows}) == len(rows) for rows in seen.values())
