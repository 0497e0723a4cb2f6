"""The edge of the change log: validated rows in, tonight's changes staged, and the log assembled for the build."""

from dataclasses import asdict
from datetime import date
from typing import Any

from flows.history.accounting import SourceFile
from flows.history.assemble import assemble
from flows.history.record import stage_night
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task


@stage_task("record")
def record(night: Night) -> dict[str, Any]:
    """Compare tonight's rows with the state before tonight, and lay the change log out for the build."""
    return night.stage("record", lambda: _rebuild(night) if night.is_rebuild else _record(night))


def _record(night: Night) -> dict[str, Any]:
    engine = night.config.settings.engine
    validated = [_from_json(file) for file in night.result("validate")["files"]]
    files = stage_night(
        night.workspace,
        night.as_of,
        list(night.config.sources.sources.values()),
        validated,
        memory_limit=engine.memory_limit,
        threads=engine.threads,
        accept_shrink=night.accept_shrink,
    )
    assemble(night.workspace, night.as_of, rebuild=False)
    rows = [_for_json(file) for file in files]
    show_table(
        "rows", [{name: row[name] for name in SHOWN} for row in rows], "Rows in = accepted + quarantined, by file"
    )
    return {"files": rows}


def _rebuild(night: Night) -> dict[str, Any]:
    assemble(night.workspace, night.as_of, rebuild=True)
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


def _from_json(row: dict[str, Any]) -> SourceFile:
    freshest = date.fromisoformat(row["freshest_on"]) if row["freshest_on"] else None
    return SourceFile(**{**row, "unknown_columns": tuple(row["unknown_columns"]), "freshest_on": freshest})


def _for_json(file: SourceFile) -> dict[str, Any]:
    return {**asdict(file), "freshest_on": file.freshest_on.isoformat() if file.freshest_on else None}
