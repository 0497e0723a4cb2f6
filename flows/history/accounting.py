"""The accounting of files: for every file of every night, rows in = accepted + quarantined, and what they changed."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from flows.errors import PermanentError
from flows.history.change_log import ACCOUNTING, nights
from flows.history.durable import replace_file
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
}
"""Columns of the accounting, one row per file and night."""


@dataclass(frozen=True)
class SourceFile:
    """What became of one file tonight.

    Attributes:
        file: the file's name as configured, never a path of this machine.
        status: ``missing`` where a source matched no file.
        rows_merged: accepted rows that repeat the mapped content of another.
        rows_deleted: keys that a full export no longer has, counted at the first file of its source.
        freshest_on: newest value of the entity's freshness column.
        unknown_columns: columns that are neither mapped nor ignored.
    """

    source: str
    file: str
    entity: str
    format: str
    sha256: str | None
    status: Literal["accepted", "refused", "missing"]
    message: str | None = None
    rows_in: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_merged: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_deleted: int = 0
    freshest_on: date | None = None
    unknown_columns: tuple[str, ...] = ()


def check_nothing_lost(files: Iterable[SourceFile]) -> None:
    """Hold every file to rows in = accepted + quarantined.

    Raises:
        PermanentError: naming each file that does not balance.
    """
    faults = [
        f"{file.source}: {file.file}: {file.rows_in} rows in, but {file.rows_accepted} accepted + "
        f"{file.rows_quarantined} quarantined = {file.rows_accepted + file.rows_quarantined}"
        for file in files
        if file.rows_in != file.rows_accepted + file.rows_quarantined
    ]
    if faults:
        raise PermanentError(
            "expected rows in = accepted + quarantined for every file; nothing was recorded. This is a fault of "
            "planloop, please report it with these lines:\n" + "\n".join(faults)
        )


def accounting_frame(as_of: date, files: Iterable[SourceFile]) -> pl.DataFrame:
    """The accounting of one night, columns ``SOURCE_FILE``, ordered by source and file."""
    rows = []
    for file in sorted(files, key=lambda file: (file.source, file.file)):
        unknown = json.dumps(file.unknown_columns, ensure_ascii=False)
        rows.append({**asdict(file), "as_of_date": as_of, "unknown_columns": unknown})
    return pl.DataFrame(rows, schema=SOURCE_FILE, orient="row")


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
    frame = pl.concat([pl.DataFrame(schema=SOURCE_FILE), *(pl.read_parquet(path) for path in paths)])
    ordered = frame.sort("as_of_date", "source", "file")
    return replace_file(workspace.build_input("source_file"), ordered.write_parquet)
