"""Whole sheets of a workbook, cell by cell: for books whose layout is known, such as the planning workbook."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from flows.ingest.readers.book import Book
from flows.ingest.readers.names import FileRefused

_MOST_CELLS = 4_000_000
_MIDNIGHT = time(0)
_FILE = "pages.json"
Cell = str | float | bool | date
"""A cell that holds something; whole numbers are floats, as workbooks keep them."""


@dataclass(frozen=True)
class SheetCells:
    """The cells of one sheet; rows and columns are counted from 1.

    Attributes:
        rows: by number, the cells of each row that is not blank, by column.
        lost: cells that hold a formula or an error instead of a value: row, column, what stands there.
        merged: merged ranges: first row, first column, last row, last column; only the first cell holds the value.
    """

    name: str
    rows: dict[int, dict[int, Cell]]
    lost: tuple[tuple[int, int, str], ...]
    merged: tuple[tuple[int, int, int, int], ...] = ()


def read_pages(path: Path) -> list[SheetCells]:
    """Every sheet of a workbook, hidden ones too, read in the sandbox.

    Raises:
        FileRefused: it is no workbook, or one that cannot be read within the bounds.
    """
    from flows.ingest.readers.bounded import parsed

    with parsed("pages", path, {}) as outcome:
        sheets = json.loads((outcome.folder / _FILE).read_text(encoding="utf-8"))
    return [
        SheetCells(
            sheet["name"],
            {number: {column: _cell(cell) for column, cell in cells} for number, cells in sheet["rows"]},
            tuple(tuple(one) for one in sheet["lost"]),
            tuple(tuple(one) for one in sheet["merged"]),
        )
        for sheet in sheets
    ]


def pages_job(folder: Path, path: str) -> dict[str, Any]:
    """Write all cells of a workbook into the job's folder. Runs in the sandbox."""
    book = Book(Path(path), folder)
    sheets, left = [], _MOST_CELLS
    for name in book.chosen("*"):
        page = book.page(name, with_hidden=False)
        rows = []
        for number, row in page.rows():
            cells = [(column, _plain(cell)) for column, cell in enumerate(row, start=1) if cell not in ("", None)]
            left -= len(cells)
            if left < 0:
                raise FileRefused(f"Expected a workbook of at most {_MOST_CELLS:,} filled cells, found more.")
            if cells:
                rows.append((number, cells))
        lost = [(number, column, said) for number, faults in page.facts.faults.items() for column, _, said in faults]
        sheets.append({"name": name, "rows": rows, "lost": lost, "merged": page.merged()})
    (folder / _FILE).write_text(json.dumps(sheets, ensure_ascii=False), encoding="utf-8")
    return {}


def _plain(cell: Any) -> Any:
    """As JSON has it: a day is a list of one text, so that it is not taken for a text."""
    if isinstance(cell, datetime):
        return [cell.date().isoformat()] if cell.time() == _MIDNIGHT else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return [cell.isoformat()]
    return cell if isinstance(cell, str | bool) else float(cell) if isinstance(cell, int | float) else str(cell)


def _cell(cell: Any) -> Cell:
    return date.fromisoformat(cell[0]) if isinstance(cell, list) else cell
