"""A month's activity targets on its working days: whole, in time, adding up; and the week as a rep sees it."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli import app
from flows.config.loader import CalendarOverrides
from flows.config.settings import WorkCalendar
from flows.errors import ConfigError
from flows.planning.funnel.activity_days import monday_of, read_week, spread
from flows.warehouse.calendars import NamedCalendar


@given(units=st.integers(0, 500), days=st.integers(1, 23))
def test_days_add_up_to_the_month_and_are_never_behind_an_even_pace(units: int, days: int) -> None:
    working = [date(2026, 3, 1) + timedelta(days=n) for n in range(days)]
    found = list(spread(units, working).values())
    assert sum(found) == units
    for passed in range(1, days + 1):
        assert 0 <= sum(found[:passed]) * days - units * passed < days


def test_a_week_is_named_or_holds_a_day() -> None:
    assert monday_of("2026-W47", date(2026, 1, 1)) == date(2026, 11, 16)
    assert monday_of("2026-11-20", date(2026, 1, 1)) == date(2026, 11, 16)
    assert monday_of(None, date(2026, 11, 22)) == date(2026, 11, 16)
    with pytest.raises(ConfigError, match="found W60"):
        monday_of("W60", date(2026, 1, 1))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Rep u1 is to make 44 calls in September 2026 (22 weekdays) and 11 in October (22), and to book 100."""
    version = tmp_path / "published" / "v" / "1"
    version.mkdir(parents=True)
    with duckdb.connect(str(version / "planloop.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_date as select cast(day as date) as day, date_trunc('month', day)::date as "
            "month_start_on, isodow(day) < 6 as is_working_day, date '2026-09-28' as as_of_date "
            "from range(date '2026-09-01', date '2026-11-01', interval 1 day) as days (day)"
        )
        connection.execute(
            "create table marts.dim_node as select 'rep:u1' as node_key, 'u1' as user_id, '王芳' as name, "
            "'rep' as node_kind, 'region:海外' as parent_node_key, true as is_current"
        )
        connection.execute(
            "create table marts.mart_target as select 'rep:u1' as node_key, 'month' as period_kind, * from (values "
            "('activities:call', date '2026-09-01', 44.00, true), ('activities:call', date '2026-10-01', 11.00, true), "
            "('activities:call', date '2026-10-01', 99.00, false), ('bookings', date '2026-09-01', 100.00, true)) "
            "as targets (metric, period_start_on, target_base, is_measured_against)"
        )
    (tmp_path / "published" / "marts.duckdb").symlink_to(version / "planloop.duckdb")
    return tmp_path


def test_a_week_across_two_months_takes_each_days_share_of_its_own_month(workspace: Path) -> None:
    # 44 on 22 days: two a day, from Monday 28 to Wednesday 30 September; 11 on 22: one on the first of every two days.
    monday, (calls,) = read_week(workspace / "published" / "marts.duckdb", None, "王芳")
    assert monday == date(2026, 9, 28)
    assert [calls.days[monday + timedelta(days=n)] for n in range(5)] == [2, 2, 2, 1, 0]
    assert calls.months == {date(2026, 9, 1): 44, date(2026, 10, 1): 11}


def test_a_rep_of_a_region_with_days_of_its_own_has_nothing_to_do_on_its_days_off(workspace: Path) -> None:
    """With Monday the 28th off, 44 calls fall on 21 days; 42 are due by the 29th (44 × 20 ÷ 21), 40 the day before."""
    off = CalendarOverrides(holidays=(date(2026, 9, 28),))
    germany = NamedCalendar("DE", WorkCalendar(country="DE"), off, ("region:海外",))
    marts = workspace / "published" / "marts.duckdb"
    monday, (calls,) = read_week(marts, None, None, (germany,))
    assert [calls.days.get(monday + timedelta(days=n)) for n in range(3)] == [None, 2, 2]
    elsewhere = replace(germany, nodes=("region:华东",))
    assert read_week(marts, None, None, (elsewhere,)) == read_week(marts, None, None)


def test_the_command_prints_the_week_and_refuses_who_is_not_there(workspace: Path) -> None:
    command = ["--workspace", str(workspace), "plan", "activities"]
    done = CliRunner().invoke(app, [*command, "--week", "2026-W40", "--json"])
    assert [sum(one["days"].values()) for one in json.loads(done.output)] == [7]
    shown = CliRunner().invoke(app, [*command, "--person", "u1"])
    assert "王芳 (u1)" in shown.output
    assert "2026-09: 44 + 2026-10: 11" in shown.output
    assert "found 'u9'" in str(CliRunner().invoke(app, [*command, "--person", "u9"]).exception)
