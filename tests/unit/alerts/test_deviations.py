"""Deviations as read from marts that are made of the dbt models' own contracts."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from flows.alerts.deviations import read_deviations
from flows.errors import PermanentError
from tests.mart_contracts import create_marts

AS_OF = date(2026, 12, 1)
ABOUT = {
    "metric": "bookings",
    "node_key": "region:华东",
    "period_kind": "month",
    "as_of_date": AS_OF,
    "run_id": "20261201-01",
}


@pytest.fixture
def marts(tmp_path):
    """A file with given rows in the marts that alerts read."""

    def make(**rows):
        path = tmp_path / "planloop.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("begin")
            create_marts(connection)
            for table, values in rows.items():
                marks = ", ".join("?" for _ in values)
                statement = f"insert into marts.{table} ({', '.join(values)}) values ({marks})"
                connection.execute(statement, list(values.values()))
            connection.execute("commit")
        return path

    return make


def test_tonights_rows_are_read_with_their_owner_and_exact_amounts(marts):
    row = {
        **ABOUT,
        "rule_id": "pace_below_plan",
        "node_name": "华东",
        "node_kind": "region",
        "period_start_on": date(2026, 12, 1),
        "period_end_on": date(2026, 12, 31),
        "measured": 0.5,
        "severity": "critical",
        "is_clear": False,
        "target_base": Decimal("7854545.45"),
        "gap_to_expected": Decimal("1234000.01"),
        "working_days_remaining": 22,
        "owner_email": "wang.min@example.com",
    }
    (deviation,) = read_deviations(marts(mart_deviation=row))

    assert deviation.subject_key == ("pace_below_plan", "bookings", "region:华东", "month", date(2026, 12, 1))
    assert (deviation.target_amount, deviation.behind_amount) == (Decimal("7854545.45"), Decimal("1234000.01"))
    assert (deviation.severity, deviation.owner_email, deviation.needed_per_day) == (
        "critical",
        "wang.min@example.com",
        None,
    )


@pytest.mark.parametrize(
    ("state", "start", "end", "is_told"),
    [
        ("open", date(2026, 11, 1), date(2026, 11, 30), True),
        ("resolved", date(2026, 11, 1), date(2026, 11, 30), False),
        ("open", date(2026, 12, 1), date(2026, 12, 31), False),
    ],
)
def test_a_period_that_is_over_is_told_where_its_alert_is_still_open(marts, state, start, end, is_told):
    path = marts(
        mart_alert={**ABOUT, "alert_id": "a1", "rule_id": "r", "period_start_on": start, "state": state},
        mart_target_attainment={
            **ABOUT,
            "period_start_on": start,
            "period_end_on": end,
            "target_base": Decimal("1000.00"),
            "actual": Decimal("810.00"),
            "pace_index": 0.81,
            "working_days_remaining": 0,
        },
        dim_node={
            "node_key": "region:华东",
            "node_kind": "region",
            "name": "华东",
            "is_current": True,
            "as_of_date": AS_OF,
        },
    )
    found = [(row.measured, row.severity, row.is_clear, row.actual_amount) for row in read_deviations(path)]

    assert found == ([(0.81, "none", False, Decimal("810.00"))] if is_told else [])


def test_a_file_without_the_marts_is_named(tmp_path):
    path = tmp_path / "planloop.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(PermanentError, match="(?s)marts and columns that alerts read in .*planloop.duckdb"):
        read_deviations(path)
