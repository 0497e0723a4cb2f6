"""The plan of a night: every version that is known, allocated or as it was sealed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.config.plan.model import Person, Plan
from flows.config.plan.versions import PlanVersion, resolved
from flows.config.yaml_file import Place
from flows.errors import ConfigError
from flows.planning.allocation.allocate import Allocation, Setting, allocate
from flows.planning.allocation.people import people_of
from flows.planning.allocation.statements import AmountsRefused
from flows.planning.funnel.activity_targets import ActivityTargets, activity_targets
from flows.planning.funnel.funnel_history import read_funnel_history
from flows.planning.places import Statements, places_of
from flows.planning.seal import SealedChanged, fingerprint, seal, sealed_targets
from flows.warehouse.inputs import PLAN_TARGET, PLAN_VERSION
from flows.workspace import Workspace


@dataclass(frozen=True)
class PlannedVersion:
    """A version and its rows.

    Attributes:
        version: as resolved.
        targets: columns ``PLAN_TARGET``.
        allocation: how they came about; None where they were sealed.
        activities: how the targets of activities among them were derived.
    """

    version: PlanVersion
    targets: pl.DataFrame
    allocation: Allocation | None
    activities: ActivityTargets | None = None


def plan_versions(
    workspace: Workspace,
    plans: Iterable[Plan],
    folder: Path,
    setting: Setting,
    headcount: Iterable[Person],
    as_of: date,
    *,
    at: Place | None = None,
    changed: list[str] | None = None,
) -> list[PlannedVersion]:
    """Allocate the versions that are known on a night, or read them where they are sealed.

    Args:
        workspace: where the seals are.
        plans: of all fiscal years.
        folder: of the plan files, for messages.
        setting: calendar, money, history.
        headcount: people of the staffing sheet, for versions that take theirs from it.
        as_of: the night.
        at: tells a place of the one plan, where it does not stand in the folder.
        changed: gets what a file says otherwise than a version that is sealed, which then is allocated anew, as after
            a restatement; without it, that is a fault.

    Raises:
        ConfigError: with all faults of all versions.
    """
    found: list[PlannedVersion] = []
    faults: list[str] = []
    sheet = tuple(headcount)
    for plan in plans:
        before: pl.DataFrame | None = None
        versions = resolved(plan)
        known = [number for number, version in enumerate(versions) if version.decided_on <= as_of]
        for version in versions[: max(known, default=-1) + 1]:
            try:
                one = _planned(workspace, version, setting, sheet, before, changed)
            except AmountsRefused as error:
                stated = Statements(plan, setting.fiscal, at or places_of(folder, plan))
                faults += [stated.amount(version, about, text) for about, text in error.about]
                break  # what follows would carry months that are not there
            except SealedChanged as error:
                stated = Statements(plan, setting.fiscal, at or places_of(folder, plan))
                faults.append(f"{stated.version(version)}: {error}")
                break
            before = one.targets
            if version.decided_on <= as_of:
                found.append(one)
    if faults:
        raise ConfigError(faults)
    return found


def _planned(
    workspace: Workspace,
    version: PlanVersion,
    setting: Setting,
    headcount: tuple[Person, ...],
    before: pl.DataFrame | None,
    changed: list[str] | None,
) -> PlannedVersion:
    try:
        sealed = sealed_targets(workspace, version)
    except SealedChanged as error:
        if changed is None:
            raise
        changed.append(str(error))
        sealed = None
    if sealed is not None:
        return PlannedVersion(version, sealed, None)
    allocation = allocate(version, people_of(version, headcount), setting, before, f"versions.{version.id}")
    steps = version.whole.funnel or ()
    if setting.marts is None or not steps:
        return PlannedVersion(version, allocation.targets, allocation)
    funnel = read_funnel_history(setting.marts, setting.history.as_of, steps)
    activities = activity_targets(version, allocation.targets, funnel, setting.fiscal, setting.working_days, before)
    targets = pl.concat([allocation.targets, activities.rows.select(allocation.targets.columns)])
    return PlannedVersion(version, targets, allocation, activities)


def notes_of(planned: Iterable[PlannedVersion]) -> list[str]:
    """What a person should know of tonight's allocations, in words."""
    notes: list[str] = []
    for one in planned:
        notes += one.allocation.notes if one.allocation else ()
        for step in one.activities.unknown if one.activities else ():
            why = f"history knows {step.n} cases at most" if step.nodes else f"{step.to} has no target"
            notes.append(f"{one.version.id}: no target of {step.metric} is derived from {step.to}: {why}")
    return notes


def plan_inputs(planned: Iterable[PlannedVersion], setting: Setting) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables ``plan_version`` and ``plan_target`` of a night."""
    versions, targets = [], [pl.DataFrame(schema=PLAN_TARGET)]
    for one in planned:
        version = one.version
        versions.append(
            {
                "plan_version": version.id,
                "fiscal_year": version.year,
                "fiscal_year_start_on": setting.fiscal.periods(version.year, "year")[0].start_on,
                "effective_on": version.effective_on,
                "decided_on": version.decided_on,
                "decided_by": version.own.decided_by,
                "reason": version.own.reason,
                "supersedes": version.before.id if version.before else None,
                "flavour": version.flavour,
                "fingerprint": fingerprint(version),
            }
        )
        targets.append(one.targets)
    return pl.DataFrame(versions, schema=PLAN_VERSION, orient="row"), pl.concat(targets)


def seal_in_force(workspace: Workspace, plans: Iterable[Plan], as_of: date, run_id: str) -> None:
    """Keep what the night has allocated of versions that are in force."""
    versions = [version for plan in plans for version in resolved(plan) if version.effective_on <= as_of]
    known = [version for version in versions if version.decided_on <= as_of]
    if not known:
        return
    targets = pl.read_parquet(workspace.build_input("plan_target"))
    for version in known:
        seal(workspace, version, targets.filter(pl.col("plan_version") == version.id), as_of, run_id)
