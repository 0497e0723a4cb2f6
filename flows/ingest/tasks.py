"""The edge of ingest: the configured sources in; landed files and judged rows out."""

import time
from collections.abc import Collection
from datetime import date
from typing import Any

from prefect.blocks.system import Secret

from flows.config.sources import Source
from flows.errors import ConfigError
from flows.ingest.directory import LastKnown
from flows.ingest.finding import Recorded
from flows.ingest.identity import resolve
from flows.ingest.landing import LandedFile
from flows.ingest.landing import land as land_files
from flows.ingest.settled.exports import Exports
from flows.ingest.settled.memory import LastNight
from flows.ingest.validation import borders_of, judge
from flows.operate.logs import log_event
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task


@stage_task("land")
def land(night: Night, recorded: Recorded, nights: Collection[date]) -> list[LandedFile]:
    """Pull from the live CRMs, copy the originals of the rest.

    Always done: an interrupted run goes on only if it would read the same files.
    """
    sources = night.config.sources.sources
    live = {name: source for name, source in sources.items() if source.connect}
    files = _pull(night, live, nights) if live else []
    files += land_files(sources, night.workspace, night.as_of, recorded=recorded)
    found = {"files": [[file.source, file.name, file.sha256] for file in files]}
    if night.manifest.is_done("land") and night.result("land") != found:
        night.restart()
    night.stage("land", lambda: found)
    return files


def _pull(night: Night, live: dict[str, Source], nights: Collection[date]) -> list[LandedFile]:
    from flows.ingest.crm.pull import Surroundings, pull_sources  # what it needs takes seconds to load

    blocks = {name for source in live.values() if source.connect for name in source.connect.secrets.values()}
    loaded = {name: _block(name) for name in sorted(blocks) if name.startswith(BLOCK)}
    outside = Surroundings({**night.env, **loaded}, now=time.time, monotonic=time.monotonic)
    return pull_sources(live, night.workspace, night.as_of, nights, outside)


def _block(name: str) -> str:
    """The value of a Prefect Secret block."""
    try:
        return str(Secret.load(name.removeprefix(BLOCK)).get())  # type: ignore[union-attr]
    except Exception as error:  # noqa: BLE001 (no server, no block, no key to it: each ends in the same advice)
        found = f"found none ({type(error).__name__})"
        raise ConfigError([f"sources.yaml: expected the Prefect Secret {name}, {found}"]) from None


@stage_task("validate")
def validate(
    night: Night, files: list[LandedFile], last_known: LastKnown, last_night: LastNight | None
) -> dict[str, Any]:
    """Judge every row of the landed files at the border that last night did not settle; find whom names mean."""
    return night.stage("validate", lambda: _validate(night, files, last_known, last_night))


def _validate(
    night: Night, files: list[LandedFile], last_known: LastKnown, last_night: LastNight | None
) -> dict[str, Any]:
    config, workspace = night.config, night.workspace
    sources, settings = config.sources.sources, config.settings
    memory = Exports(workspace, settings, config.stages, sources, last_night)
    borders = borders_of(files, sources, settings, config.stages, workspace, night.as_of)
    judged = judge(borders, sources, settings, config.stages, workspace, night.as_of, memory)
    accounts = resolve(borders, judged, sources, settings, workspace.build, last_known, memory)
    for account in accounts:
        if account.rows_settled:
            settled = f"{account.rows_settled:,} of {account.rows_in:,} rows stand as they stood last night"
            log_event("validate", f"{account.source}, {account.file}: {settled}")
    rows = [account.to_record() for account in accounts]
    show_table(
        "validated", [{name: row[name] for name in SHOWN} for row in rows], "Rows by file, as judged at the border"
    )
    return {"files": rows}


BLOCK = "block:"
"""Begins the name of a secret that is a Prefect block instead of an environment variable."""
SHOWN = ("source", "file", "status", "rows_in", "rows_accepted", "rows_quarantined", "message")
