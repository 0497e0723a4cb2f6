"""Open deals of the published night: listed by the command, and refused where they are not known or not open."""

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli import app
from flows.errors import PermanentError
from flows.publish.deals import open_deals, require_open_deal
from flows.workspace import Workspace


@pytest.fixture
def published(tmp_path: Path) -> Workspace:
    """A published night with a deal that lies there, one that does not, and a closed one."""
    workspace = Workspace(tmp_path / "workspace")
    version = workspace.published / "v" / "20261120-01"
    version.mkdir(parents=True)
    (workspace.published / "current").symlink_to("v/20261120-01")
    with duckdb.connect(str(version / "planloop.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_opportunity as select * from (values ('A', 'proposal', false, null::date),"
            " ('B', 'proposal', false, null), ('C', 'lost', true, '2026-11-02'))"
            " as deal (opportunity_id, stage, is_closed, closed_on)"
        )
        connection.execute("alter table marts.fct_opportunity add column as_of_date date default '2026-11-20'")
        connection.execute(
            "create table marts.mart_deal_health as select opportunity_id, '甲' as name, 'U1' as owner_id, stage,"
            " case opportunity_id when 'A' then 5.00 else 9.00 end::decimal(18, 2) as amount, as_of_date as"
            " expected_close_on, null::varchar as next_step, as_of_date as last_touch_on, 2 as flag_count,"
            " opportunity_id = 'A' as is_lying, false as is_snoozed, null::date as snoozed_until,"
            " opportunity_id = 'A' as needs_push, 0.1 as month_chance, 0.2 as quarter_chance"
            " from marts.fct_opportunity where not is_closed"
        )
    return workspace


def planloop(workspace: Workspace, *words: str) -> Result:
    """Run the command in this process, on the demo company's configuration."""
    return CliRunner().invoke(app, ["--workspace", str(workspace.root), *words])


def test_open_deals_are_listed_the_largest_first(published):
    assert [deal["opportunity_id"] for deal in open_deals(published)] == ["B", "A"]


def test_before_the_first_night_there_are_none_and_none_can_be_put_aside(tmp_path):
    workspace = Workspace(tmp_path / "new")
    assert open_deals(workspace) == []
    with pytest.raises(PermanentError, match="Expected a published night"):
        require_open_deal(workspace, "A")


def test_an_unknown_deal_and_a_closed_one_are_refused(published):
    require_open_deal(published, "A")
    with pytest.raises(PermanentError, match="Expected the id of an open deal"):
        require_open_deal(published, "a' or 1=1")
    with pytest.raises(PermanentError, match="C is in stage lost since 2026-11-02"):
        require_open_deal(published, "C")


def test_the_command_puts_a_deal_aside_and_takes_it_up_again(published):
    assert [deal["opportunity_id"] for deal in _json(published, "deals", "list")] == ["A"]
    until = ("--until", "2099-01-01", "--reason", "预算明年才下来", "--by", "li.na")
    assert planloop(published, "deals", "snooze", "A", *until).exit_code == 0
    [snoozed] = _json(published, "deals", "list", "--snoozed")
    assert (snoozed["opportunity_id"], snoozed["reason"], snoozed["snoozed_by"]) == ("A", "预算明年才下来", "li.na")
    assert planloop(published, "deals", "unsnooze", "A").exit_code == 0
    assert _json(published, "deals", "list", "--snoozed") == []
    past = planloop(published, "deals", "snooze", "A", "--until", "2020-01-01", "--reason", "x").exception
    assert (past.exit_code, "Expected --until after the next night" in str(past)) == (2, True)
    unknown = planloop(published, "deals", "snooze", "ZZ", *until).exception
    assert (unknown.exit_code, "found no 'ZZ'" in str(unknown)) == (2, True)


def _json(workspace: Workspace, *words: str) -> list[dict]:
    ended = planloop(workspace, *words, "--json")
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)
