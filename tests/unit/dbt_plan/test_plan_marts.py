"""A small company's night, built by dbt: the plan's marts agree with figures worked out by hand."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from flows.warehouse.unplaced import unplaced_targets
from tests.dbt_fixture import calendar_rows, failures, query, run_dbt, write_build

AS_OF = date(2025, 2, 8)  # a Saturday, worked in exchange for the Spring Festival
FESTIVAL = [date(2025, 1, day) for day in (28, 29, 30, 31)] + [date(2025, 2, day) for day in (3, 4)]
WORKED = [date(2025, 1, 26), AS_OF]

USERS = [
    {"user_id": "lead", "name": "Chen", "role": "leader", "email": "chen@example.com", "language": "zh"},
    {"user_id": "m1", "name": "Ma", "role": "manager", "region": "North", "team": "A", "manager_id": "lead"},
    {
        "user_id": "u1",
        "name": "Li",
        "role": "rep",
        "region": "North",
        "team": "A",
        "manager_id": "m1",
        "language": "en",
    },
    {"user_id": "u2", "name": "Wu", "role": "rep", "region": "North", "team": "A", "manager_id": "m1"},
    {"user_id": "u3", "name": "Zhao", "role": "rep", "region": "South", "manager_id": "lead"},
]


def deal(key: str, owner: str, stage: str, amount: int, created: date, **more) -> dict:
    """One opportunity; moments at midnight, since only their dates matter here."""
    closed = more.pop("closed_on", None)
    return {
        "opportunity_id": key,
        "owner_id": owner,
        "stage": stage,
        "amount": Decimal(amount),
        "created_on": created,
        "created_at": datetime.combine(created, datetime.min.time()),
        "closed_on": closed,
        "closed_at": closed and datetime.combine(closed, datetime.min.time()),
        **more,
    }


DEALS = [
    deal("o1", "u1", "won", 300, date(2024, 12, 1), closed_on=date(2025, 1, 10)),
    deal("o2", "u1", "won", 100, date(2025, 1, 27), closed_on=date(2025, 2, 6)),
    deal("o3", "u2", "lost", 500, date(2025, 1, 2), closed_on=date(2025, 2, 7)),
    deal("o4", "u3", "won", 80, date(2025, 1, 5), closed_on=date(2025, 2, 8)),
    deal("o5", "u1", "proposal", 900, date(2025, 1, 8), expected_close_on=date(2025, 2, 20)),
    deal("o6", "u2", "proposal", 50, date(2025, 1, 8), expected_close_on=date(2025, 1, 20)),
    deal("o7", "nobody", "won", 20, date(2025, 2, 1), closed_on=date(2025, 2, 5)),
]


def target(node_kind: str, node_name: str, period_kind: str, start: date, base: int, **more) -> dict:
    """One target in the reporting currency."""
    return {
        "plan_version": "2025",
        "metric": "bookings",
        "period_kind": period_kind,
        "period_start_on": start,
        "node_kind": node_kind,
        "node_name": node_name,
        "base": Decimal(base),
        "currency": "CNY",
        **more,
    }


FEBRUARY = date(2025, 2, 1)
TARGETS = [
    target("rep", "u1", "month", FEBRUARY, 950),
    target("rep", "u2", "month", FEBRUARY, 190),
    target("region", "South", "month", FEBRUARY, 380, stretch=Decimal(400)),
    target("rep", "u3", "month", FEBRUARY, 400),
    target("rep", "u1", "month", date(2025, 1, 1), 200),
    target("rep", "u1", "month", date(2025, 3, 1), 350),
    target("company", "Example", "year", date(2025, 1, 1), 9000),
]
RULES = [
    {
        "rule_id": "pace",
        "metric": "bookings",
        "kind": "pace_below",
        "period_kind": "month",
        "node_kind": kind,
        "warn_below": 0.9,
        "critical_below": 0.75,
        "clear_above": 0.95,
        "min_elapsed": 0.2,
    }
    for kind in ("company", "region", "team", "rep")
]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The build folder after the plan's marts, and what they stand on, were built and tested."""
    folder = write_build(
        tmp_path_factory.mktemp("night") / "build",
        as_of=AS_OF,
        log={"user": USERS, "opportunity": DEALS, "target": TARGETS},
        inputs={"alert_rule": RULES, "calendar": calendar_rows(AS_OF, FESTIVAL, WORKED)},
    )
    marts = [f"+path:models/marts/{name}" for name in ("plan", "alerts", "retrospective")]
    selection = ["--select", *marts, "+fct_booking", "+fct_opportunity", "--indirect-selection", "cautious"]
    result = run_dbt(folder, "build", *selection, "--exclude-resource-type", "unit_test")
    assert failures(result) == []
    return folder


def rows(build, sql: str) -> dict:
    """Rows by their first column."""
    return {row[0]: row[1:] for row in query(build, sql)}


def test_february_is_measured_on_the_days_that_are_worked(build):
    # 5, 6, 7 February, Saturday the 8th and 15 days to come: 4 of 19 have passed.
    found = rows(
        build,
        "select node_key, target_base, actual, expected_to_date, round(pace_index, 6), required_run_rate, open_amount, "
        "target_derivation from marts.mart_target_attainment "
        f"where metric = 'bookings' and period_kind = 'month' and period_start_on = '{FEBRUARY}'",
    )
    # The South's own 380 stands in the company's sum, not its rep's 400.
    amounts = {
        "rep:u1": (950, 100, 200, 0.5, Decimal("56.67"), 900, "given"),
        "rep:u2": (190, 0, 40, 0.0, Decimal("12.67"), 50, "given"),
        "rep:u3": (400, 80, Decimal("84.21"), 0.95, Decimal("21.33"), 0, "given"),
        "rep:(unassigned)": (None, 20, None, None, None, 0, None),
        "team:North/A": (1140, 100, 240, 0.416667, Decimal("69.33"), 950, "sum of nodes"),
        "region:North": (1140, 100, 240, 0.416667, Decimal("69.33"), 950, "sum of nodes"),
        "region:South": (380, 80, 80, 1.0, 20, 0, "given"),
        "company": (1520, 200, 320, 0.625, 88, 950, "sum of nodes"),
    }
    assert found == amounts


def test_a_quarter_of_three_months_is_whole_and_a_year_of_one_quarter_is_not(build):
    found = rows(
        build,
        "select period_kind || ' ' || node_key, target_base, derivation, n_parts, is_complete from marts.mart_target "
        "where period_kind <> 'month' and node_key in ('rep:u1', 'company', 'region:South')",
    )
    assert found == {
        "quarter rep:u1": (1500, "sum of periods", 3, True),
        "year rep:u1": (1500, "sum of periods", 1, False),
        "quarter region:South": (380, "sum of periods", 1, False),
        "year region:South": (380, "sum of periods", 1, False),
        "quarter company": (2070, "sum of nodes", 3, True),
        "half rep:u1": (1500, "sum of periods", 1, False),
        "half region:South": (380, "sum of periods", 1, False),
        "half company": (2070, "sum of nodes", 3, False),
        "year company": (9000, "given", 1, True),
    }


def test_deviations_tell_who_is_behind_and_whom_to_tell(build):
    found = rows(
        build,
        "select node_key, severity, is_clear, gap_to_expected, owner_user_id from marts.mart_deviation",
    )
    assert found == {
        "company": ("critical", False, 120, "lead"),
        "region:North": ("critical", False, 140, "lead"),
        "team:North/A": ("critical", False, 140, "m1"),
        "region:South": ("none", True, 0, "lead"),
        "rep:u1": ("critical", False, 100, "u1"),
        "rep:u2": ("critical", False, 40, "u2"),
        "rep:u3": ("none", True, Decimal("4.21"), "u3"),
    }


def test_january_is_reviewed_against_plan_and_december(build):
    found = rows(
        build,
        "select metric, actual, n, target_base, prior_actual, delta_prior from marts.mart_retrospective "
        "where node_key = 'rep:u1' and period_kind = 'month' and period_start_on = '2025-01-01'",
    )
    # u1 created one deal in December and won nothing then; in January won 300 after 40 days and created two.
    assert found == {
        "bookings": (300, 1, 200, 0, 300),
        "won_count": (1, 1, None, 0, 1),
        "lost_count": (0, 0, None, 0, 0),
        "created_count": (2, 2, None, 1, 1),
        "win_rate_close_n": (1, 1, None, None, None),
        "mean_won_amount": (300, 1, None, None, None),
        "median_cycle_days": (40, 1, None, None, None),
    }


def test_a_target_without_a_place_is_kept_and_named_and_keeps_nobody_from_the_rest(tmp_path):
    lost = target("region", "Nroth", "month", FEBRUARY, 777)
    folder = write_build(tmp_path / "build", as_of=AS_OF, log={"user": USERS, "target": [*TARGETS, lost]})
    selection = ["--select", "+assert_targets_have_a_place", "--indirect-selection", "cautious"]
    result = run_dbt(folder, "build", *selection, "--exclude-resource-type", "unit_test")
    warned = [node.node.name for node in result.result if str(node.status) == "warn"]
    assert (result.success, warned) == (True, ["assert_targets_have_a_place"])
    assert unplaced_targets(folder / "candidate.duckdb") == [
        "bookings, month 2025-02-01, region/Nroth: unknown node (plan 2025)"
    ]
    kept = query(folder, "select target_base, derivation from marts.mart_target where fault is not null")
    assert kept == [(777, "given")]
