"""The life of an alert: its steps one by one, and what holds over any sequence of nights and reruns."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.alerts import lifecycle
from flows.alerts.lifecycle import OpenAlert, period_end
from flows.alerts.notices import notify
from flows.alerts.outbox import outbox
from flows.alerts.store import alert, alert_event, alert_rows
from flows.config.fiscal import FiscalCalendar
from flows.state.database import open_state

AS_OF = date(2026, 11, 20)


def transitions(deviations, open_alerts, as_of):
    """Steps of a company whose months are calendar months."""
    return lifecycle.transitions(deviations, open_alerts, as_of, FiscalCalendar())


@pytest.fixture(scope="session")
def alert_of():
    """The open alert about a deviation."""

    def make(deviation, severity="warn"):
        same = ("rule_id", "metric", "node_key", "node_name", "node_kind", "period_kind", "period_start_on")
        return OpenAlert(
            alert_id="a1",
            severity=severity,
            opened_on=AS_OF - timedelta(days=2),
            measured=0.8,
            expected=1.0,
            recipients=(("wang.min@example.com", "zh"),),
            **{name: getattr(deviation, name) for name in same},
        )

    return make


@pytest.mark.parametrize("severity", ["warn", "critical"])
def test_a_node_behind_pace_opens_an_alert_once(deviation, alert_of, severity):
    behind = deviation(severity=severity)

    assert [step.event for step in transitions([behind], [], AS_OF)] == ["opened"]
    assert transitions([behind], [alert_of(behind, severity)], AS_OF) == []


def test_worse_is_told_once_and_milder_is_not_told(deviation, alert_of):
    critical, warn = deviation(severity="critical", measured=0.7), deviation()

    assert [step.event for step in transitions([critical], [alert_of(warn)], AS_OF)] == ["worsened"]
    assert transitions([warn], [alert_of(critical, "critical")], AS_OF) == []


def test_only_the_upper_limit_ends_an_alert(deviation, alert_of, clear):
    between = deviation(severity="none", measured=0.93)
    cleared = deviation(**clear)

    assert transitions([between], [alert_of(between)], AS_OF) == []
    (step,) = transitions([cleared], [alert_of(cleared)], AS_OF)
    assert (step.event, step.reason) == ("resolved", "recovered")


def test_between_the_limits_nothing_opens(deviation):
    assert transitions([deviation(severity="none", measured=0.93)], [], AS_OF) == []


def test_a_missing_measurement_is_no_recovery_while_the_period_runs(deviation, alert_of):
    assert transitions([], [alert_of(deviation())], date(2026, 11, 30)) == []


def test_an_alert_ends_with_its_period_and_not_as_a_recovery(deviation, alert_of):
    (step,) = transitions([], [alert_of(deviation())], date(2026, 12, 1))

    assert (step.event, step.reason, step.deviation) == ("resolved", "period_ended", None)


def test_a_period_that_is_over_opens_nothing(deviation):
    assert transitions([deviation(severity="critical")], [], date(2026, 12, 1)) == []


MONTHS, FROM_APRIL = FiscalCalendar(), FiscalCalendar(4)
WEEKS = FiscalCalendar(2, "4-4-5", "saturday", "nearest")  # its year 2027 begins on Sunday, 1 February 2026


@pytest.mark.parametrize(
    ("fiscal", "kind", "start", "end"),
    [
        (MONTHS, "month", date(2026, 12, 1), date(2026, 12, 31)),
        (MONTHS, "month", date(2028, 2, 1), date(2028, 2, 29)),
        (FiscalCalendar(11), "quarter", date(2026, 11, 1), date(2027, 1, 31)),
        (FROM_APRIL, "year", date(2026, 4, 1), date(2027, 3, 31)),
        (WEEKS, "month", date(2026, 2, 1), date(2026, 2, 28)),
        (WEEKS, "quarter", date(2026, 2, 1), date(2026, 5, 2)),
    ],
)
def test_periods_end_on_their_last_day(fiscal, kind, start, end, deviation):
    assert period_end(deviation(period_kind=kind, period_start_on=start), fiscal) == end


MEASURED = {
    "critical": {"severity": "critical", "measured": 0.6},
    "warn": {"severity": "warn", "measured": 0.8},
    "between": {"severity": "none", "measured": 0.93},
    "clear": {"severity": "none", "measured": 0.97, "is_clear": True},
}
NODES = {"region:华东": "wang.min@example.com", "region:华北": "li.lei@example.com", "rep:u9": None}
NIGHTS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 1, 1, 2, 20, -3]),
        st.fixed_dictionaries({node: st.sampled_from([*MEASURED, "absent"]) for node in NODES}),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60)
@given(nights=NIGHTS)
def test_any_nights_and_reruns_open_and_resolve_in_turn_and_mail_each_step_once(nights, deviation, letterhead, now):
    engine = open_state("sqlite://")
    as_of, seen, mailed = AS_OF, {}, 0
    try:
        for number, (days, pattern) in enumerate(nights):
            as_of += timedelta(days=days)
            rows = [
                deviation(
                    as_of_date=as_of,
                    node_key=node,
                    node_name=node,
                    owner_email=NODES[node],
                    period_start_on=as_of.replace(day=1),
                    **MEASURED[kind],
                )
                for node, kind in pattern.items()
                if kind != "absent"
            ]
            is_past = bool(seen) and as_of < max(seen)
            if not is_past:
                seen.setdefault(as_of, alert_rows(engine, as_of))
            told = notify(engine, rows, as_of=as_of, run_id=str(number), letterhead=letterhead, now=now)
            again = notify(engine, rows, as_of=as_of, run_id=f"{number} again", letterhead=letterhead, now=now)
            assert bool(told.skipped) == is_past
            assert (again.opened, again.worsened, again.resolved, again.messages) == (0, 0, 0, 0)
            mailed += told.messages
        with engine.connect() as connection:
            events = connection.execute(sa.select(alert_event).order_by(alert_event.c.event_no)).all()
            alerts = {row.alert_id: row for row in connection.execute(sa.select(alert))}
            messages = connection.execute(sa.select(outbox)).all()
        about = defaultdict(list)
        for event in events:
            row = alerts[event.alert_id]
            about[row.node_key, row.period_start_on].append(event.event)
        for story in about.values():
            lives = " ".join(story).replace("opened worsened", "opened")
            assert set(lives.replace("opened resolved", "").split()) <= {"opened"}, story
            assert not lives.count("opened opened"), story
        # The owner of a node never changes here: each step is told to one address.
        told_of = {(event.run_id, NODES[alerts[event.alert_id].node_key] or "leader@example.com") for event in events}
        assert len(messages) == mailed == len(told_of)
        assert {(row.run_id, row.recipient) for row in messages} == told_of
        for night, before in seen.items():
            assert alert_rows(engine, night).equals(before)
    finally:
        engine.dispose()
