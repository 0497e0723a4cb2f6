"""The edge of the change log: validated rows in, tonight's changes staged, and the log assembled for the build."""

from typing import Any

from flows.history.assemble import assemble
from flows.history.record import stage_night
from flows.ingest.accounting import FileAccount
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task


@stage_task("record")
def record(night: Night) -> dict[str, Any]:
    """Compare tonight's rows with the state before tonight, and lay the change log out for the build."""
    return night.stage("record", lambda: _rebuild(night) if night.is_rebuild else _record(night))


def _record(night: Night) -> dict[str, Any]:
    engine = night.config.settings.engine
    validated = [FileAccount.from_record(file) for file in night.result("validate")["files"]]
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
    rows = [file.to_record() for file in files]
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
