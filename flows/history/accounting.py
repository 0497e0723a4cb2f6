"""The accounting of files: for every file of every night, rows in = accepted + quarantined, and what they changed."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import polars as pl

from flows.history.change_log import ACCOUNTING, nights
from flows.history.durable import replace_file
from flows.ingest.accounting import FileAccount
from flows.workspace import Workspace

SOURCE_FILE: dict[str, pl.DataType] = {
    "as_of_date": pl.Date(),
    "source": pl.String(),
    "file": pl.String(),
    "entity": pl.String(),
    "format": pl.String(),
    "sha256": pl.String(),
    "status": pl.String(),
    "message": pl.String(),
    "rows_in": pl.Int64(),
    "rows_accepted": pl.Int64(),
    "rows_quarantined": pl.Int64(),
    "rows_merged": pl.Int64(),
    "rows_new": pl.Int64(),
    "rows_changed": pl.Int64(),
    "rows_deleted": pl.Int64(),
    "freshest_on": pl.Date(),
    "unknown_columns": pl.String(),
    "observed_on": pl.Date(),
    "columns": pl.String(),
    "dialect": pl.String(),
    "rows_set_aside": pl.Int64(),
    "notice_en": pl.String(),
    "notice_zh": pl.String(),
    "drift_en": pl.String(),
    "drift_zh": pl.String(),
    "fresh_within_hours": pl.Float64(),
}
"""Columns of the accounting, one row per file and night."""


def accounting_frame(as_of: date, files: Iterable[FileAccount]) -> pl.DataFrame:
    """The accounting of one night, columns ``SOURCE_FILE``, ordered by source and file."""
    rows = []
    for file in sorted(files, key=lambda file: (file.source, file.file)):
        lists = {name: json.dumps(getattr(file, name), ensure_ascii=False) for name in ("unknown_columns", "columns")}
        day = file.observed_on or as_of
        rows.append({**asdict(file), **lists, "as_of_date": as_of, "observed_on": day})
    return pl.DataFrame([{name: row[name] for name in SOURCE_FILE} for row in rows], schema=SOURCE_FILE, orient="row")


def recorded_nights(workspace: Workspace, before: date) -> pl.DataFrame:
    """The accounting of all nights before one, columns ``SOURCE_FILE``; what an older night did not count is null."""
    folder = workspace.history / ACCOUNTING
    paths = [folder / f"{night}.parquet" for night in nights(workspace) if night < before]
    return _accounting_of(paths)


def recorded_night(workspace: Workspace, night: date) -> pl.DataFrame:
    """The accounting of one night, columns ``SOURCE_FILE``."""
    return _accounting_of([workspace.history / ACCOUNTING / f"{night}.parquet"])


def recorded_files(workspace: Workspace, before: date) -> dict[str, dict[str, str]]:
    """By source and file: the SHA-256 of what was last accepted under that name, on nights before one."""
    accepted = recorded_nights(workspace, before).filter(pl.col("status") == "accepted")
    found: dict[str, dict[str, str]] = {}
    for source, file, sha256 in accepted.sort("as_of_date").select("source", "file", "sha256").rows():
        # A table of a workbook is named file#table; the file is what is found again.
        found.setdefault(source, {}).update({file.partition("#")[0]: sha256, file: sha256})
    return found


def _accounting_of(paths: Iterable[Path]) -> pl.DataFrame:
    known = pl.DataFrame(schema=SOURCE_FILE)
    frames = [known, *(pl.read_parquet(path) for path in paths)]
    frame = pl.concat(frames, how="diagonal").select(*SOURCE_FILE)
    return frame.with_columns(pl.col("observed_on").fill_null(pl.col("as_of_date")))


def staged_accounting(workspace: Workspace) -> Path:
    """Where tonight's accounting waits for the night to be committed."""
    return workspace.build / "night" / f"{ACCOUNTING}.parquet"


def write_source_file(workspace: Workspace, as_of: date, *, rebuild: bool) -> Path:
    """Write ``build/inputs/source_file.parquet``: the accounting of all nights up to ``as_of``.

    Args:
        workspace: where the nights are.
        as_of: the night that is built.
        rebuild: read the night itself from the change log too; else it is the one staged in ``build/night``.
    """
    folder = workspace.history / ACCOUNTING
    paths = [
        folder / f"{night}.parquet" for night in nights(workspace) if night < as_of or (rebuild and night == as_of)
    ]
    if not rebuild and staged_accounting(workspace).exists():
        paths.append(staged_accounting(workspace))
    ordered = _accounting_of(paths).sort("as_of_date", "source", "file")
    return replace_file(workspace.build_input("source_file"), ordered.write_parquet)
