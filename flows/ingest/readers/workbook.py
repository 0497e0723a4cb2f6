"""xlsx: the typed cells of one sheet. A workbook is measured as a zip archive before it is opened."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine

from flows.ingest.readers.batch import ROW, Batch, FileRefused, Table, header_names, no_faulty

BATCH_ROWS = 20_000
MAX_UNPACKED_BYTES = 1 << 30
MAX_RATIO = 250
RATIO_COUNTS_FROM = 1 << 26
MAX_CELLS = 60_000_000
_CELL = re.compile(rb'\sr="([A-Z]{0,3})([0-9]{1,7})"')
_OVERLAP = 32


def open_workbook(path: Path, *, sheet: str | None = None, header_row: int = 1, batch_rows: int = BATCH_ROWS) -> Table:
    """Open one sheet of a workbook; row numbers are those the spreadsheet program shows. Empty rows are no records.

    Raises:
        FileRefused: it is no xlsx, one that unpacks to too much, or has no such sheet or header.
    """
    _refuse_bombs(path)
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as workbook:
            names = workbook.sheet_names
            name = sheet or names[0]
            if name not in names:
                raise FileRefused(f"Expected the sheet {name!r}, found only {', '.join(map(repr, names))}.")
            page = workbook.get_sheet_by_name(name)
            cells = _header(page, header_row)
    except (python_calamine.CalamineError, OSError, IndexError) as error:
        raise FileRefused(f"Expected an xlsx workbook, found a damaged or protected one ({error}).") from error
    columns, repeated = header_names(cells)
    return Table(columns, repeated, partial(_read, page, columns, header_row, batch_rows), sheet=name)


def _header(sheet: python_calamine.CalamineSheet, header_row: int) -> Sequence[Any]:
    cells = next((row for number, row in enumerate(sheet.iter_rows(), start=1) if number == header_row), [])
    if not any(cell != "" for cell in cells):
        raise FileRefused(f"Sheet {sheet.name!r}: expected a header in row {header_row}, found an empty row.")
    return cells


def _refuse_bombs(path: Path) -> None:
    """Refuse archives whose content is out of all proportion, and sheets with a cell far outside."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            packed = max(1, sum(member.compress_size for member in members))
            if unpacked > MAX_UNPACKED_BYTES or (unpacked > RATIO_COUNTS_FROM and unpacked / packed > MAX_RATIO):
                raise FileRefused(
                    f"Expected a workbook of at most {MAX_UNPACKED_BYTES >> 20} MB unpacked, found {unpacked >> 20} MB "
                    f"in a file of {packed >> 10} KB. Save only the rows in use as a new workbook, or export CSV."
                )
            for member in members:
                if member.filename.endswith(".xml"):
                    _refuse_wide(archive, member)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise FileRefused(
            f"Expected an xlsx workbook, found something else ({error}). Save it as .xlsx without a password."
        ) from error


def _refuse_wide(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse a part with a cell far outside, or one that unpacks to another size than the archive says.

    Reading allocates every cell up to the outermost one: a single cell at XFD1048576 would take all memory.
    """
    height = width = 0
    with archive.open(member) as stream:
        tail = b""
        while chunk := stream.read(1 << 20):
            for column, row in set(_CELL.findall(tail + chunk)):
                height = max(height, int(row))
                width = max(width, _column_number(column))
            tail = chunk[-_OVERLAP:]
    if height * width > MAX_CELLS:
        raise FileRefused(
            f"Expected a sheet of at most {MAX_CELLS:,} cells, found one of {height:,} rows by {width:,} columns "
            f"({member.filename}). Delete the stray cell far outside the table, or export CSV."
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _read(
    page: python_calamine.CalamineSheet, columns: tuple[str, ...], header_row: int, batch_rows: int
) -> Iterator[Batch]:
    kept: list[list[Any]] = []
    numbers: list[int] = []
    for number, row in enumerate(page.iter_rows(), start=1):
        if number <= header_row or all(cell == "" for cell in row):
            continue
        kept.append(row)
        numbers.append(number)
        if len(kept) == batch_rows:
            yield _batch(kept, numbers, columns)
            kept, numbers = [], []
    if kept:
        yield _batch(kept, numbers, columns)


def _batch(rows: list[list[Any]], numbers: list[int], columns: tuple[str, ...]) -> Batch:
    series = [_column(name, cells) for name, cells in zip(columns, zip(*rows, strict=True), strict=True)]
    return Batch(pl.DataFrame([*series, pl.Series(ROW, numbers, dtype=pl.Int64)]), no_faulty())


def _column(name: str, cells: Sequence[Any]) -> pl.Series:
    """Cells of one kind keep their type; a column of several kinds becomes text, dates in ISO form."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds and kinds <= {int, float}:
        if all(value is None or float(value).is_integer() and abs(value) < 2**53 for value in values):
            return pl.Series(name, [None if value is None else int(value) for value in values], dtype=pl.Int64)
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    if kinds and kinds <= {date, datetime}:
        moments = [datetime(v.year, v.month, v.day) if type(v) is date else v for v in values]  # noqa: DTZ001 (as typed)
        return pl.Series(name, moments, dtype=pl.Datetime("us"))
    return pl.Series(name, [None if value is None else as_text(value) for value in values], dtype=pl.String)


def as_text(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a decimal point, dates in ISO form."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell).lower() if isinstance(cell, bool) else str(cell) if not isinstance(cell, timedelta) else f"{cell}"
