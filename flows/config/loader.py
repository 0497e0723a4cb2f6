"""Loading a configuration folder: every fault of every file is found before the first is reported."""

import glob
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.config.alerts import Alerts
from flows.config.model import ConfigModel
from flows.config.plan.faults import Company
from flows.config.plan.model import Plan
from flows.config.plan.reading import read_plan
from flows.config.settings import Settings
from flows.config.sources import Source, Sources
from flows.config.stages import Stages
from flows.config.yaml_file import Lines, parse, place, plain
from flows.errors import ConfigError

HERE = "PLANLOOP_CONFIG"
"""The variable that stands for the configuration folder in paths of sources, wherever it is moved to."""


class CalendarOverrides(ConfigModel):
    """Days that the country's calendar does not know (or knows differently)."""

    working_days: tuple[date, ...] = ()
    holidays: tuple[date, ...] = ()


@dataclass(frozen=True)
class Config:
    """One company's configuration, and a fingerprint of the files it came from."""

    folder: Path
    settings: Settings
    sources: Sources
    stages: Stages
    alerts: Alerts
    calendar: CalendarOverrides
    plans: tuple[Plan, ...]
    fingerprint: str
    node_overrides: Mapping[str, CalendarOverrides] = field(default_factory=dict)

    @property
    def flavours(self) -> frozenset[str]:
        """Ways of selling beside deals: what settings say, else what the sources tell. Stores make a channel.

        A company that exports its stores wants to see them, and need not say so twice; one that exports them for other
        reasons says ``flavours: []``.
        """
        if self.settings.flavours is not None:
            return frozenset(self.settings.flavours)
        exported = {source.entity for source in self.sources.sources.values()}
        return frozenset({"channel"} if "store" in exported else ())


def load(folder: Path, env: Mapping[str, str], *, faults_of_plans: list[str] | None = None) -> Config:
    """Load ``folder``.

    Args:
        folder: holds settings.yaml, sources.yaml, stages.yaml, alerts.yaml; plans/<year>.yaml where there are plans.
        env: variables that paths may use, beside :data:`HERE`.
        faults_of_plans: gets the faults of plan files, which then do not count here: for who checks plans.

    Raises:
        ConfigError: with one line for each fault: file, line, what was expected, what was found.
    """
    if not folder.is_dir():
        raise ConfigError(
            [f"{folder}: not found; expected a folder with settings.yaml, sources.yaml, stages.yaml, alerts.yaml"]
        )
    faults: list[str] = []
    settings = parse(folder / "settings.yaml", Settings, faults)
    variables = {**env, HERE: glob.escape(str(folder.resolve()))}
    sources = parse(folder / "sources.yaml", Sources, faults, {"env": variables})
    stages = parse(folder / "stages.yaml", Stages, faults)
    alerts = parse(folder / "alerts.yaml", Alerts, faults)
    overrides: CalendarOverrides | None = CalendarOverrides()
    if settings and settings.calendar.overrides:
        overrides = parse(folder / settings.calendar.overrides, CalendarOverrides, faults)
    node_overrides = _node_overrides(folder, settings, faults)
    plans = _plans(folder, settings, stages, faults if faults_of_plans is None else faults_of_plans)
    if sources:
        faults += _mapping_faults(folder / "sources.yaml", sources)
    if faults or not (settings and sources and stages and alerts and overrides):
        raise ConfigError(faults)
    return Config(folder, settings, sources, stages, alerts, overrides, plans, _fingerprint(folder), node_overrides)


def _node_overrides(folder: Path, settings: Settings | None, faults: list[str]) -> dict[str, CalendarOverrides]:
    """The own days of calendars of nodes, where a node's calendar names a file of them."""
    found: dict[str, CalendarOverrides] = {}
    for node, calendar in settings.calendar.nodes.items() if settings else ():
        if calendar.overrides and (days := parse(folder / calendar.overrides, CalendarOverrides, faults)):
            found[node] = days
    return found


def _plans(folder: Path, settings: Settings | None, stages: Stages | None, faults: list[str]) -> tuple[Plan, ...]:
    """The plans by year, each held against the company's fiscal year, currency and funnel."""
    plans: dict[int, Plan] = {}
    places: dict[str, str] = {}
    files: dict[int, Path] = {}
    company = company_of(settings, stages) if settings and stages else None
    for path in sorted((folder / "plans").glob("*.y*ml")):
        lines: Lines = {}
        found_before = len(faults)
        data = plain(path, faults, lines)
        if len(faults) > found_before:
            continue
        at = place(path, lines)
        plan = read_plan(data, company, at, faults)
        if plan is None:
            continue
        if plan.year in plans:
            faults.append(
                f"{at(('year',))}: expected one plan a fiscal year, found a second one for {plan.year} beside "
                f"{files[plan.year].name}; put both into one file, or take one away"
            )
        elif re.fullmatch(r"\d{4}", path.stem) and int(path.stem) != plan.year:
            faults.append(f"{at(('year',))}: expected {path.stem}, as the file is named; found {plan.year}")
        plans[plan.year] = plan
        files[plan.year] = path
        for number, version in enumerate(plan.versions):
            here = at(("versions", number, "id"))
            other = places.setdefault(version.id, here)
            if other != here:
                faults.append(f"{here}: expected an id that names one version, found {version.id!r} also at {other}")
    return tuple(plans[year] for year in sorted(plans))


def company_of(settings: Settings, stages: Stages) -> Company:
    """What plans are held against."""
    return Company(settings.fiscal, settings.reporting_currency, tuple(stage.key for stage in stages.stages))


def _mapping_faults(path: Path, sources: Sources) -> list[str]:
    """Entities and columns that the schemas do not know, and required columns that nothing fills."""
    from schemas.registry import ENTITIES

    faults = []
    for name, source in sources.sources.items():
        place = f"{path}: sources.{name}"
        entity = ENTITIES.get(source.entity)
        if entity is None:
            faults.append(f"{place}.entity: {source.entity!r} is not an entity; expected one of {', '.join(ENTITIES)}")
            continue
        known = entity.columns()
        derived = entity.derived()
        beside = _beside(source, sources)
        for column in source.columns:
            if column in beside:
                continue
            if column not in known:
                faults.append(
                    f"{place}.columns: {column!r} is not a column of {source.entity}; it has {', '.join(known)}"
                )
            elif column in derived:
                faults.append(f"{place}.columns: {column!r} is filled from {derived[column]!r}; map that one")
        for column, definition in known.items():
            if not definition.nullable and column not in source.columns and not source.template:
                faults.append(f"{place}.columns: {source.entity} needs {column!r}, which nothing fills")
    return faults


def _beside(source: Source, sources: Sources) -> set[str]:
    """Columns that a template does not have, but another one does that stands under the same name."""
    from schemas.registry import ENTITIES

    if not source.template:
        return set()
    others = (ENTITIES[other.entity] for other in sources.sources.values() if other.landed_as == source.landed_as)
    return {column for other in others for column in other.columns()} - set(ENTITIES[source.entity].columns())


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted((*folder.glob("*.y*ml"), *folder.glob("plans/*.y*ml"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
