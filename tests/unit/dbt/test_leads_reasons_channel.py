"""Marts of leads, reasons and the channel: as a person would count them, one by one, in companies made up by chance."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt_fixture import calendar_rows, failures, run_dbt, write_build
from tests.reference import actuals, channel, leads, reasons
from tests.reference.company import Company
from tests.reference.made_up import company

MARTS = {
    "mart_lead_funnel": (leads.funnel, 7),
    "mart_channel": (channel.channel, 4),
    "mart_store": (channel.stores, 2),
    "mart_loss": (reasons.losses, 7),
    "mart_objection": (reasons.objections, 6),
    "mart_requirement_outcome": (reasons.requirements, 6),
}
"""Marts, what they are held to, and the number of columns that make the key."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the builds of this module."""
    return tmp_path_factory.mktemp("build")


def built(build: Path, made: Company) -> None:
    """Build the marts of a company."""
    for path in (build / "log").glob("*/*.parquet"):
        path.unlink()
    calendar = calendar_rows(made.as_of, holidays=sorted(made.holidays))
    run = {"fiscal_year_start_month": made.fiscal_start, "bookings_from": "contract"}
    inputs = {"calendar": calendar, "metric_member": [{"metric": "activities:Call"}]}
    write_build(build, as_of=made.as_of, log=made.log, inputs=inputs, **run)
    wanted = (*(f"+{mart}" for mart in MARTS), "+int_actuals_rolled_up")
    assert failures(run_dbt(build, "run", "--select", *wanted)) == []


def rows(build: Path, mart: str, keys: int) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a mart by key."""
    with duckdb.connect(str(build / "candidate.duckdb"), read_only=True) as connection:
        found = connection.execute(f"select * exclude (as_of_date, run_id) from marts.{mart}")  # noqa: S608
        names = [column[0] for column in found.description]
        return {row[:keys]: dict(zip(names[keys:], row[keys:], strict=True)) for row in found.fetchall()}


@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_marts_equal_counting_one_by_one(build, seed):
    made = company(seed)
    built(build, made)
    for mart, (count, keys) in MARTS.items():
        found, expected = rows(build, mart, keys), count(made)
        assert found.keys() == expected.keys(), mart
        different = {key: (row, found[key]) for key, row in expected.items() if not same(row, found[key])}
        assert different == {}, mart
    assert happened(build) == actuals.actuals(made)


def happened(build: Path) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What was achieved, by metric, period and node, but for halves, which are made as quarters are."""
    with duckdb.connect(str(build / "scratch.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select metric, period_kind, period_start_on, node_key, hundredths, n, denominator_hundredths"
            " from intermediate.int_actuals_rolled_up where period_kind <> 'half'"
        ).fetchall()
    return {row[:4]: row[4:] for row in found}


def same(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    """Equal to the last cent and day; shares to the sixth decimal, which is where they are rounded."""
    return expected.keys() == found.keys() and all(
        value == pytest.approx(expected[name], abs=1.01e-6) if isinstance(value, float) else value == expected[name]
        for name, value in found.items()
    )
