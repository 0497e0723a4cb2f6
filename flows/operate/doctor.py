"""What is wrong with a set-up, and how to mend it: each check looks at one thing and changes nothing.

A finding is ``ok``, ``warn`` (the night runs, but something will surprise you) or ``fail`` (the night cannot run, or
what it would publish or send is lost). What lies outside the process is looked at in ``flows.operate.probes``.
"""

import difflib
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from flows.config import Config, load
from flows.config.sources import Source
from flows.errors import ConfigError, PlanloopError
from flows.operate import probes
from flows.operate.environment import NO_TELEMETRY
from flows.operate.lock import lock_holder
from flows.workspace import Workspace

Level = Literal["ok", "warn", "fail"]
GIB = 2**30
DISK_FAIL, DISK_WARN = 1 * GIB, 5 * GIB
"""Free space under which a night may not end, and under which it should be looked after."""
ANNOUNCED_BY_MONTH = 12
"""From this month on, the coming year's adjusted days should be known (China announces them in November)."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: ok, warn or fail.
        what: the thing.
        found: what was found, in words.
        remedy: what to do; empty when all is well.
    """

    level: Level
    what: str
    found: str
    remedy: str = ""


def diagnose(config_dir: Path, workspace: Workspace, env: Mapping[str, str], *, today: date) -> list[Finding]:
    """Look at everything a night needs, in the order in which a person would mend it.

    Args:
        config_dir: the company's configuration.
        workspace: the company's runtime state; may not exist yet.
        env: variables that paths, secrets and libraries are read from.
        today: business date; tonight's input files are looked for under it.
    """
    findings = [
        *_check("versions", _versions),
        *_check("telemetry", lambda: _telemetry(env)),
        *_check("workspace", lambda: _workspace(workspace)),
    ]
    try:
        config = load(config_dir, env)
    except ConfigError as error:
        remedy = "mend the line that is named; every fault is listed at once"
        findings += [Finding("fail", "configuration", fault, remedy) for fault in error.faults]
    else:
        findings.append(Finding("ok", "configuration", f"{len(config.sources.sources)} sources in {config_dir}"))
        findings += [
            *_check("source files", lambda: _sources(config, today, env)),
            *_check("calendar", lambda: _calendar(config, today, workspace)),
            *_check("mail server", lambda: _mail(config, env)),
            *_check("state database", lambda: _state(config, workspace)),
        ]
    return [
        *findings,
        *_check("published version", lambda: _published(workspace)),
        *_check("optional programs", _programs),
        *_check("prefect server", lambda: _prefect(env)),
    ]


def _check(what: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings of one check; a check that breaks is a finding too and does not keep the others from being made."""
    try:
        return list(look())
    except PlanloopError as error:
        return [Finding("fail", what, str(error), "do what the message says, then run doctor again")]
    except Exception as error:  # noqa: BLE001 (doctor is for set-ups in which anything may be broken)
        return [Finding("fail", what, f"{type(error).__name__}: {error}", "report this with the output of doctor")]


def _versions() -> Iterator[Finding]:
    """Python and the packages that the project states, against what is installed."""
    metadata = importlib.metadata.metadata("planloop")
    wanted, python = metadata["Requires-Python"], platform.python_version()
    fits = python in SpecifierSet(wanted)
    yield Finding("ok" if fits else "fail", "python", python, "" if fits else f"use a Python {wanted}, then `uv sync`")
    wrong = 0
    requirements = [Requirement(line) for line in importlib.metadata.requires("planloop") or []]
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            installed = ""
        if not installed or not requirement.specifier.contains(installed, prereleases=True):
            wrong += 1
            expected = f"{installed or 'not installed'}; expected {requirement.specifier}"
            yield Finding("fail", f"package {requirement.name}", expected, "run `uv sync`, which installs uv.lock")
    if not wrong:
        yield Finding("ok", "packages", f"{len(requirements)} required packages within their bounds")


def _telemetry(env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the libraries may call home."""
    loud = [name for name, value in NO_TELEMETRY.items() if env.get(name) != value]
    if loud:
        settings = " ".join(f"{name}={NO_TELEMETRY[name]}" for name in loud)
        yield Finding("warn", "telemetry", f"not switched off: {', '.join(loud)}", f"set {settings}")
    else:
        yield Finding("ok", "telemetry", "switched off for every library")


def _workspace(workspace: Workspace) -> Iterator[Finding]:
    """Whether tonight can write, has room, and is alone."""
    place = workspace.root
    while not place.exists():
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        yield Finding("fail", "workspace", f"{place} cannot be written", "grant the right, or name another --workspace")
        return
    yield Finding(
        "ok", "workspace", f"{workspace.root}" + ("" if place == workspace.root else " (made by the first run)")
    )
    free = shutil.disk_usage(place).free
    level: Level = "fail" if free < DISK_FAIL else "warn" if free < DISK_WARN else "ok"
    remedy = "" if level == "ok" else "free space, lower publish.keep_versions, or move the workspace"
    yield Finding(level, "disk space", f"{free / GIB:.1f} GiB free", remedy)
    holder = lock_holder(workspace.lock)
    if holder:
        yield Finding("warn", "lock", f"a night is at work: {holder}", "wait for it; the lock ends with its process")
    else:
        yield Finding("ok", "lock", "free")


def _live_source(what: str, source: Source, env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the options and secrets of a live CRM are what its connector needs; the CRM itself is not asked."""
    from flows.ingest.crm.registry import connector

    blocks = [name for name in source.connect.secrets.values() if name.startswith("block:")] if source.connect else []
    try:
        made = connector(source, {**env, **dict.fromkeys(blocks, "in Prefect")})
    except ConfigError as error:
        remedy = "correct it in sources.yaml, or set it in the environment of the night"
        yield from (Finding("fail", what, fault, remedy) for fault in error.faults)
    else:
        yield Finding("ok", what, f"{made.connect.object} of {made.connect.crm} at {made.base_url}")


def _sources(config: Config, as_of: date, env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether tonight's files are there and can be read."""
    from flows.ingest.finding import find_files

    for name, source in config.sources.sources.items():
        what = f"source {name}"
        if source.connect:
            yield from _live_source(what, source, env)
            continue
        files = [file.path for file in find_files(source, as_of)]
        closed = [path for path in files if not os.access(path, os.R_OK)]
        if closed:
            yield Finding("fail", what, f"cannot read {closed[0]}", "grant the right to read to the user of the night")
        elif files:
            yield Finding("ok", what, f"{len(files)} file(s), e.g. {files[0]}")
        else:
            level: Level = "fail" if source.missing == "error" else "ok"
            patterns = ", ".join(source.paths(as_of))
            remedy = "bring the export there, or correct its path in sources.yaml" if level == "fail" else ""
            yield Finding(level, what, f"no file matches {patterns} (missing: {source.missing})", remedy)


def _calendar(config: Config, today: date, workspace: Workspace) -> Iterator[Finding]:
    """Whether the countries of all calendars are known, and their working days of this and the next year announced."""
    from flows.warehouse.calendars import calendars_of

    for number, one in enumerate(calendars_of(config)):
        whose = f" of {', '.join(one.nodes)}" if number else ""
        for year in (today.year, today.year + 1):
            what = f"calendar {year}{whose}"
            try:
                days = one.between(date(year, 1, 1), date(year, 12, 31))
            except ConfigError as error:
                remedy = "mend it under calendar in settings.yaml"
                yield from (Finding("fail", f"calendar{whose}", fault, remedy) for fault in error.faults)
                break
            worked = int(days["is_working_day"].sum())
            if days["is_published"].all():
                yield Finding("ok", what, f"{one.name}: {worked} working days")
                continue
            due = year == today.year or today.month >= ANNOUNCED_BY_MONTH
            remedy = "update the package `holidays`, or list the adjusted days in the calendar's overrides file"
            found = f"{one.name}: adjusted days not announced; counting {worked} working days by statutory rules"
            yield Finding("warn" if due else "ok", what, found, remedy if due else "")
    yield from _nodes_of_calendars(config, workspace)


def _nodes_of_calendars(config: Config, workspace: Workspace) -> Iterator[Finding]:
    """Whether the nodes that work by a calendar of their own are in the organisation, or in a plan."""
    from flows.planning.allocation.tree import place_of, upwards

    stated = config.settings.calendar.nodes
    marts = workspace.published / "marts.duckdb"
    if not stated or not marts.exists():
        return
    with duckdb.connect(str(marts), read_only=True) as connection:
        known = {node for (node,) in connection.execute("select node_key from marts.dim_node").fetchall()}
    people = [person for plan in config.plans for version in plan.versions for person in version.people]
    known |= {node for person in people for node in (f"rep:{person.user_id}", *upwards(place_of(person)))}
    for node in sorted(set(stated) - known):
        close = difflib.get_close_matches(node, known, n=1)
        found = f"nobody stands at {node}, so that no day is counted by {stated[node].country}"
        remedy = f"write the key of dim_node under calendar.nodes{f', perhaps {close[0]}' if close else ''}"
        yield Finding("warn", "calendar", found, remedy)


def _mail(config: Config, env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a mail could be sent now."""
    smtp = config.settings.mail.smtp
    if smtp is None:
        remedy = "configure mail.smtp in settings.yaml to send them"
        yield Finding("warn", "mail server", "none configured: mails are written to the workspace's outbox", remedy)
        return
    from flows.alerts.deliver import try_login

    try_login(config.settings.mail, env.get(smtp.password_env))
    user = f" as {smtp.user}" if smtp.user else ""
    yield Finding("ok", "mail server", f"{smtp.host}:{smtp.port} answers ({smtp.security}){user}")


def _state(config: Config, workspace: Workspace) -> Iterator[Finding]:
    """Whether the operational state can be opened."""
    url = config.settings.state_url or workspace.state_url
    if url == workspace.state_url and not (workspace.root / "state.sqlite").exists():
        yield Finding("ok", "state database", "not there yet (made by the first run)")
        return
    engine = create_engine(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError as error:
        remedy = "start the server, or correct state_url in settings.yaml"
        yield Finding("fail", "state database", f"{shown}: {str(error).splitlines()[0]}", remedy)
    else:
        yield Finding("ok", "state database", shown)
    finally:
        engine.dispose()


def _published(workspace: Workspace) -> Iterator[Finding]:
    """Whether what BI reads is what was published."""
    if not (workspace.published / "current").exists():
        yield Finding("ok", "published version", "none yet")
        return
    from flows.publish.versions import verify

    result = verify(workspace)
    if result.passed:
        yield Finding("ok", "published version", f"{result.run_id} agrees with its manifest")
    else:
        faults = "; ".join(result.faults)
        yield Finding("fail", "published version", faults, "`planloop publish rollback`, then run the night again")


def _programs() -> Iterator[Finding]:
    """Programs that make some outputs better and are not needed by the night."""
    for what, found, remedy in probes.optional_programs():
        yield Finding("ok" if found else "warn", what, found or "not found (optional)", "" if found else remedy)


def _prefect(env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the server that is to show the night answers."""
    url = env.get("PREFECT_API_URL")
    if not url:
        yield Finding("ok", "prefect server", "none configured: each run starts a temporary one")
        return
    fault = probes.prefect_fault(url)
    remedy = "start it (`prefect server start`), or unset PREFECT_API_URL: the night does not depend on it"
    yield (
        Finding("fail", "prefect server", f"{url}: {fault}", remedy) if fault else Finding("ok", "prefect server", url)
    )
