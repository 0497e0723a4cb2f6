"""``planloop waterfall``: any window of the published states, in the reader's language, with reasons where it can't."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config.fiscal import FiscalCalendar
from flows.errors import ConfigError
from flows.warehouse.calendars import fiscal_positions
from tests.unit.test_project_rules import PROJECT

# One deal of 100.00 for March, won on the 20th for 120.00; one of 50.00 pushed from March to April on the 10th.
MARTS = """
create schema marts;
create table marts.dim_date as
select day, date '2026-03-25' as as_of_date, date_trunc('month', day)::date as month_start_on,
    last_day(day) as month_end_on, date_trunc('quarter', day)::date as quarter_start_on, year(day) as fiscal_year,
    quarter(day) as fiscal_quarter, month(day) as fiscal_month
from (select unnest(generate_series(date '2026-01-01', date '2026-12-31', interval 1 day))::date as day);
create table marts.dim_node as
select * from (values ('company', '公司', null, true), ('rep:1', '小王', 'company', true),
    ('rep:2', '小王', 'company', true))
    as nodes (node_key, name, parent_node_key, is_current);
create table marts.fct_opportunity_state as
select *, 'rep:1' as node_key, false as is_handed_over, date '2026-01-05' as known_from_on,
    close_month as open_close_month
from (values
    ('a', date '2026-01-05', date '2026-03-20', 'open', 100.00::decimal(18, 2), date '2026-03-01'),
    ('a', date '2026-03-20', null, 'won', 120.00, date '2026-03-01'),
    ('b', date '2026-01-05', date '2026-03-10', 'open', 50.00, date '2026-03-01'),
    ('b', date '2026-03-10', null, 'open', 50.00, date '2026-04-01'))
    as states (opportunity_id, from_on, until_on, status, amount, close_month);
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with one published version."""
    (tmp_path / "published").mkdir()
    with duckdb.connect(str(tmp_path / "published" / "planloop.duckdb")) as connection:
        connection.execute(MARTS)
    (tmp_path / "published" / "marts.duckdb").symlink_to("planloop.duckdb")
    return tmp_path


def waterfall(workspace: Path, *words: str) -> Result:
    """Run ``planloop waterfall`` with the demo company's configuration, which is Chinese."""
    command = ["--config", str(PROJECT / "config"), "--workspace", str(workspace), "waterfall", *words]
    return CliRunner().invoke(app, command)


def movements(result: Result) -> dict[str, tuple[str, int]]:
    """What is not nothing."""
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)["movements"]
    return {one["movement"]: (one["amount"], one["deals"]) for one in told if one["deals"]}


def test_a_closing_period_is_seen_from_its_first_day_to_tonight(workspace):
    assert movements(waterfall(workspace, "--closing-in", "2026-03", "--json")) == {
        "start": ("150.00", 2),
        "increase": ("20.00", 1),
        "pushed_out": ("50.00", 1),
        "won": ("120.00", 1),
    }


def test_a_period_of_weeks_ends_when_the_company_says(workspace):
    """In 4-4-5 from February, P1 is 1 to 28 February, P2 runs to 28 March: a deal for 29 March closes in P3."""
    positions = fiscal_positions(FiscalCalendar(2, "4-4-5"), date(2026, 2, 1), date(2026, 12, 31))
    with duckdb.connect(str(workspace / "published" / "planloop.duckdb")) as connection:
        connection.execute(
            "create or replace table marts.dim_date as select *, date '2026-03-25' as as_of_date from positions"
        )
        connection.execute(
            "update marts.fct_opportunity_state set close_month = '2026-03-29' where close_month = '2026-04-01'"
        )
    assert positions.filter(day=date(2026, 3, 28))["fiscal_month"].item() == 2
    whole = {"start": ("150.00", 2), "increase": ("20.00", 1), "pushed_out": ("50.00", 1), "won": ("120.00", 1)}
    assert movements(waterfall(workspace, "--closing-in", "2027P2", "--json")) == whole
    late = movements(waterfall(workspace, "--closing-in", "2027P3", "--from", "2026-03-01", "--json"))
    assert late == {"pulled_in": ("50.00", 1), "end": ("50.00", 1)}
    assert "such as 2026P9" in str(waterfall(workspace, "--closing-in", "2026-03").exception)


def test_any_two_days_of_the_whole_pipeline(workspace):
    told = movements(waterfall(workspace, "--from", "2026-03-01", "--to", "2026-03-19", "--node", "rep:1", "--json"))
    assert told == {"start": ("150.00", 2), "end": ("150.00", 2)}
    whole = {"created": ("170.00", 2), "won": ("120.00", 1), "end": ("50.00", 1)}
    assert movements(waterfall(workspace, "--json")) == whole


def test_it_is_told_in_the_language_of_the_company(workspace):
    lines = waterfall(workspace, "--closing-in", "2026Q1").output
    assert "预计 2026-01 – 2026-03 成交" in lines
    for word in ("期初", "推迟/移出", "赢单", "期末", "商机数"):
        assert word in lines


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--closing-in", "soon"), "Expected a period like 2026, 2026Q3, 2026P9 or 2026-09, found 'soon'"),
        (("--closing-in", "2031"), "Expected a period that the calendar"),
        (("--to", "2026-03-26"), "no later than the night of 2026-03-25, found 2026-01-01 to 2026-03-26"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "found 2026-03-02 to 2026-03-01"),
        (("--node", "小王"), "found several: rep:1, rep:2"),
        (("--node", "nobody"), "'nobody', found none"),
    ],
)
def test_what_it_cannot_tell_it_says(workspace, words, fault):
    error = waterfall(workspace, *words).exception
    assert isinstance(error, ConfigError)
    assert fault in str(error)


def test_without_a_published_night_it_says_what_to_run(tmp_path):
    assert "Run: planloop refresh" in str(waterfall(tmp_path).exception)
