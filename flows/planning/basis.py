"""What a night knows that plans are made from: results by month, the organisation, the staffing sheet.

The newest night leaves it in ``plans/basis``, so that a plan can be tried before any night takes it.
"""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Person
from flows.errors import PermanentError
from flows.planning.allocation.history import History, read_history
from flows.planning.allocation.people import read_headcount
from flows.workspace import Workspace

_FACTS, _RESULTS = "basis.json", "results.parquet"


@dataclass(frozen=True)
class Basis:
    """What plans are made from: ``history`` up to a night, and the people of its staffing sheet."""

    history: History
    headcount: tuple[Person, ...]


def read_basis(workspace: Workspace, as_of: date, fiscal: FiscalCalendar) -> Basis:
    """Read it from the night that is being built."""
    history = read_history(workspace.build, as_of, fiscal)
    return Basis(history, read_headcount(workspace.build_log("headcount")))


def write_basis(basis: Basis, folder: Path) -> None:
    """Write it to a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    basis.history.results.write_parquet(folder / _RESULTS)
    facts = {
        "as_of": basis.history.as_of.isoformat(),
        "first_on": {metric: day.isoformat() for metric, day in basis.history.first_on.items()},
        "parents": dict(basis.history.parents),
        "headcount": [person.model_dump(mode="json") for person in basis.headcount],
    }
    (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")


def keep_basis(workspace: Workspace) -> None:
    """Let the newest basis be the one that the night was built from."""
    new, kept = workspace.plans / "basis.new", workspace.plans / "basis"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(staged_basis(workspace), new)
    old = workspace.plans / "basis.old"
    shutil.rmtree(old, ignore_errors=True)
    if kept.exists():
        os.replace(kept, old)
    os.replace(new, kept)
    shutil.rmtree(old, ignore_errors=True)


def staged_basis(workspace: Workspace) -> Path:
    """Where the night in progress keeps its basis until it is published."""
    return workspace.build / "plan_basis"


def newest_basis(workspace: Workspace) -> Basis:
    """What the newest published night knew.

    Raises:
        PermanentError: no night was published yet.
    """
    folder = workspace.plans / "basis"
    if not (folder / _FACTS).exists():
        raise PermanentError(
            f"expected what a published night knows (results, people) in {folder}, found none; run a night first: "
            "planloop run"
        )
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    history = History(
        date.fromisoformat(facts["as_of"]),
        pl.read_parquet(folder / _RESULTS),
        facts["parents"],
        {metric: date.fromisoformat(day) for metric, day in facts["first_on"].items()},
    )
    return Basis(history, tuple(Person.model_validate(person) for person in facts["headcount"]))
