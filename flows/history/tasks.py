"""The edge of the change log: validated rows in, tonight's changes staged, and the log assembled for the build."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import AuditRefused
from flows.history.accounting import recorded_nights
from flows.history.assemble import assemble
from flows.history.change_log import nights
from flows.history.quarantine import rejected_files
from flows.history.record import stage_night
from flows.ingest.accounting import FileAccount
from flows.ingest.delivery import explain, undelivered
from flows.ingest.drift import UnknownValues, unknown_values, with_drift
from flows.ingest.freshness import with_limits
from flows.operate.logs import log_event
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task
from flows.publish.layout import current_run_id


@stage_task("record")
def record(night: Night) -> dict[str, Any]:
    """Compare tonight's rows with the state before tonight, and lay the change log out for the build."""
    return night.stage("record", lambda: _rebuild(night) if night.is_rebuild else _record(night))


def _record(night: Night) -> dict[str, Any]:
    engine = night.config.settings.engine
    validated = _described(night, [FileAccount.from_record(file) for file in night.result("validate")["files"]])
    _refuse_what_lacks(night, validated)
    files = stage_night(
        night.workspace,
        night.as_of,
        list(night.config.sources.sources.values()),
        validated,
        memory_limit=engine.memory_limit,
        threads=engine.threads,
        accept_shrink=night.accept_shrink,
    )
    _refuse_what_lacks(night, files)
    assemble(night.workspace, night.as_of, rebuild=False, memory_limit=engine.memory_limit, threads=engine.threads)
    rows = [file.to_record() for file in files]
    show_table(
        "rows", [{name: row[name] for name in SHOWN} for row in rows], "Rows in = accepted + quarantined, by file"
    )
    return {"files": rows}


def _described(night: Night, files: Sequence[FileAccount]) -> list[FileAccount]:
    """The accounts with what is different about each file, and how fresh its source has to be."""
    sources, settings, workspace = night.config.sources.sources, night.config.settings, night.workspace
    before = [recorded for recorded in nights(workspace) if recorded < night.as_of]
    drifted = with_drift(
        with_limits(files, sources, settings),
        recorded_nights(workspace, night.as_of),
        _unknown_values(rejected_files(workspace)),
        _unknown_values([workspace.quarantine_file(newest) for newest in before[-1:]]),
        as_of=night.as_of,
        full={name for name, source in sources.items() if source.mode == "full"},
        max_change=settings.audit.max_change,
    )
    for file in drifted:
        if file.drift_en:
            log_event("record", f"{file.source}, {file.file}: {file.drift_en}")
    return drifted


def _unknown_values(quarantined: Sequence[Path]) -> UnknownValues:
    found = [path for path in quarantined if path.exists()]
    return unknown_values(pl.scan_parquet(found)) if found else {}


def _refuse_what_lacks(night: Night, files: Sequence[FileAccount]) -> None:
    """Refuse the night, before anything is built, if a source that may not fail has not delivered."""
    lacking = undelivered(files, night.config.sources.sources)
    if lacking:
        kept = current_run_id(night.workspace.published)
        language = night.config.settings.operator.language
        raise AuditRefused(explain(lacking, night.as_of, night.run_id, kept=kept, language=language))


def _rebuild(night: Night) -> dict[str, Any]:
    engine = night.config.settings.engine
    assemble(night.workspace, night.as_of, rebuild=True, memory_limit=engine.memory_limit, threads=engine.threads)
    return {"files": []}


SHOWN = (
    "source",
    "file",
    "status",
    "rows_in",
    "rows_accepted",
    "rows_quarantined",
    "rows_new",
    "rows_changed",
    "rows_deleted",
)
