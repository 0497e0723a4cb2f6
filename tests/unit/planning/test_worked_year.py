"""A year of six reps, worked out without planloop: every cell of the plan equals the sheet beside it."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.config.plan import Plan
from flows.config.yaml_file import parse
from flows.planning.allocation.allocate import Setting
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.history import History
from flows.planning.night import plan_inputs, plan_versions
from flows.workspace import Workspace
from tests.reference import worked_year

KEY = ("plan_version", "metric", "period_kind", "period_start_on", "node_key")


def sheet(name: str) -> list[dict[str, str]]:
    """The lines of a sheet as committed."""
    with (worked_year.FOLDER / f"{name}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def plan_file() -> Plan:
    """The plan of the worked year."""
    faults: list[str] = []
    plan = parse(worked_year.FOLDER / "plan.yaml", Plan, faults)
    assert plan is not None, faults
    return plan


def allocated(workspace: Path, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The plan as the night of ``as_of`` takes it: versions and targets."""
    plan = plan_file()
    first = date(2026, 1, 1)
    days = WorkingDays.of(first, ((first + timedelta(days=n)).weekday() < 5 for n in range(365)))
    setting = Setting(FiscalCalendar(), "CNY", History(as_of), days)
    planned = plan_versions(Workspace(workspace), [plan], worked_year.FOLDER, setting, [], as_of)
    return plan_inputs(planned, setting)


def hundredths(written: str) -> int | None:
    """An amount of the sheet."""
    return int(Decimal(written) * 100) if written else None


def test_the_sheets_are_what_their_derivation_says() -> None:
    assert {name: sheet(name) for name in ("targets", "attainment", "pay")} == worked_year.sheets()


def test_every_cell_of_the_plan_is_that_of_the_worked_sheet(tmp_path: Path) -> None:
    _, targets = allocated(tmp_path, worked_year.AS_OF[-1])
    found = {
        tuple(str(row[name]) for name in KEY): (row["base_hundredths"], row["stretch_hundredths"])
        for row in targets.to_dicts()
    }
    expected: dict[tuple[str, ...], Any] = {
        tuple(row[name] for name in KEY): (hundredths(row["base"]), hundredths(row["stretch"]))
        for row in sheet("targets")
    }
    assert {key: found.get(key) for key in expected} == expected
    # Whom a version counts on in none of the months has nothing to reach.
    assert [key for key, (base, _) in found.items() if key not in expected and base] == []


def test_a_version_is_not_known_before_it_is_decided(tmp_path: Path) -> None:
    versions, targets = allocated(tmp_path, worked_year.AS_OF[0])
    assert versions["plan_version"].to_list() == ["annual"]
    assert targets["plan_version"].unique().to_list() == ["annual"]
