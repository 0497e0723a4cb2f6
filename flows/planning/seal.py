"""Allocations that are kept: once a version is in force, what it asked of everybody does not change any more.

``plans/<version>.parquet`` holds the rows, ``plans/<version>.json`` what they were made from; the JSON file comes last
and makes the seal. A later night reads the sealed rows, so that a changed history, calendar or staffing sheet moves no
target that people already work against.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.plan.model import Plan
from flows.config.plan.versions import PlanVersion, resolved
from flows.errors import PermanentError
from flows.workspace import Workspace

DECIDING: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "targets": (("metric", "node", "segment"), frozenset({"goal", "dri", "due_on"})),
    "pins": (("metric", "node", "period"), frozenset({"reason"})),
    "people": (("user_id",), frozenset({"name"})),
    "ramps": (("id",), frozenset()),
    "capacity": (("metric",), frozenset()),
    "incentives": (("id",), frozenset({"name_en", "name_zh"})),
}
"""Sections that decide amounts: their keys, and what in them is only said about them."""
SINGLE = ("people_from", "seasonality", "split", "split_weights", "funnel", "budget_rates")


def statement(version: PlanVersion) -> dict[str, Any]:
    """What decides the amounts of a version, in one order whatever the order of the file."""
    found: dict[str, Any] = {
        "fiscal_year": version.year,
        "effective_on": version.effective_on.isoformat(),
        "decided_on": version.decided_on.isoformat(),
    }
    for section, (keys, said) in DECIDING.items():
        entries = {}
        for one in getattr(version.whole, section):
            plain = _plain(one.model_dump(exclude=set(said)))
            name = ", ".join(str(plain[key]) for key in keys if plain[key] is not None)
            entries[name] = {key: value for key, value in plain.items() if value is not None}
        found[section] = {name: entries[name] for name in sorted(entries)}
    for section in SINGLE:
        value = getattr(version.whole, section)
        found[section] = _plain(value.model_dump() if hasattr(value, "model_dump") else value)
    return found


def fingerprint(version: PlanVersion) -> str:
    """A hash of what decides the amounts of a version."""
    return hashlib.sha256(json.dumps(statement(version), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one.model_dump() if hasattr(one, "model_dump") else one) for one in value]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


class SealedChanged(PermanentError):
    """The file no longer says of a version what was sealed."""


def sealed_targets(workspace: Workspace, version: PlanVersion) -> pl.DataFrame | None:
    """The rows of a sealed version; None where it is not sealed.

    Raises:
        SealedChanged: the version in the file is no longer the one that was sealed.
    """
    seal = read_seal(workspace, version.id)
    if seal is None or not seal["sealed_on"]:
        return None
    if seal["fingerprint"] != fingerprint(version):
        changes = list(_differences(seal["statement"], statement(version), ""))
        shown = "; ".join(changes[:6]) + (f"; and {len(changes) - 6} more" if len(changes) > 6 else "")
        raise SealedChanged(
            f"expected version {version.id} as it has been in force since {version.effective_on} (sealed on "
            f"{seal['sealed_on']}), found it changed: {shown}. Put the change into a new version (effective_on, "
            f"reason), or run `planloop plan restate {version.id} --reason …`"
        )
    return pl.read_parquet(_rows(workspace, version.id))


def missing_versions(workspace: Workspace, plans: Iterable[Plan], folder: Path) -> list[str]:
    """A line for each version that is sealed and that no plan states any more; without it its targets would be gone.

    Args:
        workspace: where the seals are.
        plans: of all fiscal years.
        folder: of the plan files, for messages.
    """
    versions = [version for plan in plans for version in resolved(plan)]
    stated = {version.id for version in versions}
    found = []
    for one in _seals(workspace):
        name, about = one["plan_version"], one["statement"]
        if name in stated:
            continue
        effective_on = about["effective_on"]
        same = [version.id for version in versions if version.effective_on.isoformat() == effective_on]
        renamed = f"; {same[0]} takes effect on the same day: was it renamed? An id stays" if same else ""
        found.append(
            f"{folder / str(about['fiscal_year'])}.yaml: expected version {name}, which has been in force since "
            f"{effective_on} and is sealed, found no plan that states it{renamed}. Put it back, or run `planloop plan "
            f"restate {name} --reason …` to let its targets go"
        )
    return found


def sealed_from(workspace: Workspace, name: str) -> list[str]:
    """Ids of a sealed version and of those of the same fiscal year that took effect later; none if it is not sealed."""
    seals = {one["plan_version"]: one["statement"] for one in _seals(workspace)}
    first = seals.get(name)
    later = [
        (about["effective_on"], other)
        for other, about in seals.items()
        if first and about["fiscal_year"] == first["fiscal_year"] and about["effective_on"] >= first["effective_on"]
    ]
    return [other for _, other in sorted(later)]


def _seals(workspace: Workspace) -> list[dict[str, Any]]:
    """Seals that hold, by the version's id."""
    found = [read_seal(workspace, path.stem) for path in sorted(workspace.plans.glob("*.json"))]
    return [one for one in found if one and one["sealed_on"]]


def seal(workspace: Workspace, version: PlanVersion, targets: pl.DataFrame, as_of: date, run_id: str) -> None:
    """Keep the rows of a version that is in force; one that is sealed already stays as it is."""
    before = read_seal(workspace, version.id)
    if before is not None and before["sealed_on"]:
        return
    workspace.plans.mkdir(parents=True, exist_ok=True)
    rows = _rows(workspace, version.id)
    temporary = rows.with_suffix(".tmp")
    targets.write_parquet(temporary)
    os.replace(temporary, rows)
    _write(
        workspace,
        version.id,
        {
            "plan_version": version.id,
            "sealed_on": as_of.isoformat(),
            "run_id": run_id,
            "fingerprint": fingerprint(version),
            "statement": statement(version),
            "restated": before["restated"] if before else [],
        },
    )


def restate(workspace: Workspace, versions: Sequence[str], *, reason: str, on: date) -> list[str]:
    """Open the seals of a version and of those after it, which carry months of it; the next night allocates anew.

    What was sealed is kept beside as ``<version>~<number>.parquet``.

    Args:
        workspace: where the seals are.
        versions: ids of the version and of all later ones of its plan.
        reason: why what people worked against is changed after the fact.
        on: the day of the restatement.

    Returns:
        Ids of the versions whose seals were opened.

    Raises:
        PermanentError: the version is not sealed, or no reason is given.
    """
    if not reason.strip():
        raise PermanentError("expected a reason for changing targets that people already worked against, found none")
    first = read_seal(workspace, versions[0])
    if first is None or not first["sealed_on"]:
        raise PermanentError(
            f"expected {versions[0]} to be sealed, found that it is not; until it is, every night allocates it anew"
        )
    opened = []
    for version in versions:
        known = read_seal(workspace, version)
        if known is None or not known["sealed_on"]:
            continue
        number = len(known["restated"]) + 1
        former = workspace.plans / f"{version}~{number}.parquet"  # no id has this mark
        entry = {
            "on": on.isoformat(),
            "reason": reason,
            "sealed_on": known["sealed_on"],
            "run_id": known["run_id"],
            "fingerprint": known["fingerprint"],
            "rows": former.name,
        }
        # The former rows first: killed in between, the seal still holds and the command is repeated.
        former.write_bytes(_rows(workspace, version).read_bytes())
        _write(workspace, version, {**known, "sealed_on": None, "restated": [*known["restated"], entry]})
        opened.append(version)
    return opened


def read_seal(workspace: Workspace, plan_version: str) -> dict[str, Any] | None:
    """The seal of a version: sealed_on (None once it was opened), run_id, fingerprint, statement, restated."""
    path = workspace.plans / f"{plan_version}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _write(workspace: Workspace, plan_version: str, content: dict[str, Any]) -> None:
    path = workspace.plans / f"{plan_version}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(temporary, path)


def _rows(workspace: Workspace, plan_version: str) -> Path:
    return workspace.plans / f"{plan_version}.parquet"


def _differences(before: Any, now: Any, place: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*before, *now)):
            inside = f"{place}.{key}" if place else key
            yield from _differences(before.get(key), now.get(key), inside)
    elif _has_parts(before) and _has_parts(now) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True), start=1):
            yield from _differences(one, other, f"{place}.{number}")
    elif before != now:
        yield f"{place}: {_short(before)} → {_short(now)}"


def _has_parts(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _short(value: Any) -> str:
    text = "nothing" if value in (None, {}, []) else _plainly(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _plainly(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plainly(one)}" for key, one in value.items())
    return "; ".join(map(_plainly, value)) if isinstance(value, list) else str(value)
