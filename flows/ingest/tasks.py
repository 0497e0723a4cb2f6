"""The edge of ingest: the configured sources in; landed files and judged rows out."""

from typing import Any

from flows.ingest.directory import LastKnown
from flows.ingest.finding import Recorded
from flows.ingest.identity import resolve
from flows.ingest.landing import LandedFile
from flows.ingest.landing import land as land_files
from flows.ingest.validation import border_of
from flows.ingest.validation import validate as validate_files
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task


@stage_task("land")
def land(night: Night, recorded: Recorded) -> list[LandedFile]:
    """Copy the originals. Always done: an interrupted run goes on only if it would read the same files."""
    files = land_files(night.config.sources.sources, night.workspace, night.as_of, recorded=recorded)
    found = {"files": [[file.source, file.name, file.sha256] for file in files]}
    if night.manifest.is_done("land") and night.result("land") != found:
        night.restart()
    night.stage("land", lambda: found)
    return files


@stage_task("validate")
def validate(night: Night, files: list[LandedFile], last_known: LastKnown) -> dict[str, Any]:
    """Judge every row of the landed files at the border, and find whom names mean."""
    return night.stage("validate", lambda: _validate(night, files, last_known))


def _validate(night: Night, files: list[LandedFile], last_known: LastKnown) -> dict[str, Any]:
    config, workspace = night.config, night.workspace
    sources, settings = config.sources.sources, config.settings
    judged = validate_files(files, sources, settings, config.stages, workspace, night.as_of)
    borders = [border_of(file, sources[file.source], settings, config.stages, workspace, night.as_of) for file in files]
    accounts = resolve(borders, judged, sources, settings, workspace.build, last_known)
    rows = [account.to_record() for account in accounts]
    show_table(
        "validated", [{name: row[name] for name in SHOWN} for row in rows], "Rows by file, as judged at the border"
    )
    return {"files": rows}


SHOWN = ("source", "file", "status", "rows_in", "rows_accepted", "rows_quarantined", "message")
