"""Quarantined rows of a night: gathering, listing, and exporting them to the people who mend them."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import PermanentError
from flows.history.durable import replace_file
from flows.ingest.rejected import SCHEMA
from flows.workspace import Workspace

QUARANTINE = SCHEMA
"""Columns of the quarantine: one row per faulty cell; ``column`` is null where the whole row or file is meant."""

ORDER = ["source", "file", "sheet", "row", "column", "reason_code"]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def staged_quarantine(workspace: Workspace) -> Path:
    """Where tonight's quarantine waits for the night to be committed."""
    return workspace.build / "night" / "_quarantine.parquet"


def rejected_files(workspace: Workspace) -> list[Path]:
    """What validation rejected tonight, one file per source file."""
    return sorted((workspace.build / "rejected").glob("*.parquet"))


def gather(rejected: Iterable[Path], recorded: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """All quarantined cells of tonight, ordered by place: those of validation, and those found while recording."""
    frames = [pl.DataFrame(schema=QUARANTINE), pl.DataFrame(list(recorded), schema=QUARANTINE, orient="row")]
    for path in rejected:
        frame = pl.read_parquet(path)
        frames.append(frame.select(pl.col(name).cast(dtype) for name, dtype in QUARANTINE.items()))
    return pl.concat(frames).sort(ORDER, nulls_last=False)


def read_quarantine(
    workspace: Workspace, as_of: date, *, entity: str | None = None, reason: str | None = None
) -> pl.DataFrame:
    """Quarantined cells of one night.

    Args:
        workspace: where the quarantine is.
        as_of: the night.
        entity: only this entity.
        reason: only this ``reason_code``.

    Returns:
        Columns of ``QUARANTINE``, ordered by source, file, sheet and row.

    Raises:
        PermanentError: the night is not in the change log.
    """
    path = workspace.quarantine_file(as_of)
    if not path.exists():
        known = sorted(found.stem for found in workspace.quarantine.glob("????-??-??.parquet"))
        hint = f"the newest is {known[-1]}" if known else "no night has been recorded yet; run `planloop refresh`"
        raise PermanentError(f"expected the quarantine of the night {as_of} at {path}, found none; {hint}")
    frame = pl.read_parquet(path)
    if entity is not None:
        frame = frame.filter(pl.col("entity") == entity)
    if reason is not None:
        frame = frame.filter(pl.col("reason_code") == reason)
    return frame


def export_quarantine(frame: pl.DataFrame, path: Path) -> Path:
    """Write quarantined cells to a ``.xlsx`` or ``.csv`` file that a spreadsheet opens without running anything in it.

    In xlsx every text is a string cell marked as text. CSV has no types: a text that a spreadsheet would take for a
    formula gets a leading apostrophe.

    Raises:
        PermanentError: another ending, or more rows than a sheet holds.
    """
    writers = {".xlsx": _write_xlsx, ".csv": _write_csv}
    if path.suffix.lower() not in writers:
        raise PermanentError(f"{path}: expected a name that ends in {' or '.join(writers)}, found {path.suffix!r}")
    return replace_file(path, lambda temporary: writers[path.suffix.lower()](frame, temporary))


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(frame.columns)
        for row in frame.iter_rows():
            writer.writerow([f"'{cell}" if _looks_like_formula(cell) else cell for cell in row])


def _write_xlsx(frame: pl.DataFrame, path: Path) -> None:
    import xlsxwriter

    last_row = 1_048_575
    if frame.height > last_row:
        raise PermanentError(
            f"{path}: a sheet holds {last_row} rows, found {frame.height}; filter by entity or reason, or export .csv"
        )
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet("quarantine")
        as_text = workbook.add_format({"num_format": "@", "quote_prefix": True})
        as_date = workbook.add_format({"num_format": "yyyy-mm-dd"})
        heading = workbook.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for number, name in enumerate(frame.columns):
            sheet.write_string(0, number, name, heading)
        for line, row in enumerate(frame.iter_rows(), start=1):
            for number, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(line, number, cell, as_date)
                elif isinstance(cell, int):
                    sheet.write_number(line, number, cell)
                elif cell is not None:
                    sheet.write_string(line, number, cell[:32_767], as_text)


def _looks_like_formula(cell: object) -> bool:
    return isinstance(cell, str) and cell.startswith(_FORMULA_STARTS)
