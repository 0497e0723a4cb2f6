"""Which tables a workbook holds, and which of its sheets hold data but no table that is known. Runs in the sandbox."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from flows.ingest.headers import unit_note
from flows.ingest.readers.book import Book, Page
from flows.ingest.readers.cells import as_text
from flows.ingest.readers.limits import COLUMNS
from flows.ingest.readers.names import FileRefused, header_names
from flows.ingest.readers.sheet_header import LEVELS, Header, KnownHeaders, Range, extend, groups, uncovered

_GUESSED_FROM = 30
"""Rows at the top of a sheet among which a header is looked for that nobody knows."""
_TITLE_ROWS, _TITLE_CELLS = 2, 3
"""More rows than these with so many cells above the first header are no title: they are a table that is not known."""
_SHOWN = 20
_NO_COLUMN = 1 << 20

_Row = tuple[int, list[Any]]


def survey_job(
    folder: Path, path: str, sheet: str | None, known: list[str], header_row: int | None, hidden: str
) -> dict[str, Any]:
    """Find the tables of a workbook.

    Args:
        folder: of the job.
        path: the workbook.
        sheet: None the first one, ``*`` all, or a name.
        known: header keys that are looked for; without any, the row that looks like a header is taken.
        header_row: where the header stands, if somebody has said so.
        hidden: ``read`` or ``set_aside``.

    Returns:
        ``tables`` (fields of ``TablePlace``) and ``unrecognised`` (fields of ``Unrecognised``).
    """
    book = Book(Path(path), folder)
    looked_for = KnownHeaders(frozenset(known))
    tables: list[dict[str, Any]] = []
    unrecognised: list[dict[str, Any]] = []
    for name in book.chosen(sheet):
        page = book.page(name, with_hidden=hidden == "set_aside")
        found = _SheetSurvey(page, looked_for)
        if header_row is not None:
            found.at(header_row, required=sheet != "*")
        elif known:
            found.everywhere()
        else:
            found.guess()
        tables.extend(_place(table, page, hidden, date_1904=book.date_1904) for table in found.tables)
        unrecognised.extend(found.unrecognised())
    return {"tables": tables, "unrecognised": unrecognised}


@dataclass
class _Found:
    """A table while its sheet is looked through: its header, columns filled beside it, and its last row."""

    header: Header
    unit: str = ""
    beside: set[int] = field(default_factory=set)
    last_row: int = 0
    closed: bool = False


class _SheetSurvey:
    """Looks through one sheet once."""

    def __init__(self, page: Page, known: KnownHeaders) -> None:
        self.tables: list[_Found] = []
        self._page = page
        self._faults = page.facts.faults
        self._known = known
        merged = page.merged()
        self._merged = [found for found in merged if found[2] - found[0] < LEVELS]
        self._merged_at = 0
        self._unclaimed: list[tuple[int, list[Any]]] = []
        self._unclaimed_rows = self._unclaimed_cells = 0
        self._last_row = self._header_ends = 0
        self._width = 0

    def everywhere(self) -> None:
        """Every row that holds known headers begins a table; one that repeats a header does not."""
        for (number, row), around in self._rows():
            if number <= self._header_ends:
                continue
            if not self.tables or self._known.may_head(row):
                self._open(number, row, around)
            self._claim(number, row)
        self._settle()

    def at(self, header_row: int, *, required: bool) -> None:
        """The header is the row of that number."""
        for (number, row), around in self._rows():
            if number == header_row:
                matched = self._known.matched(row)
                if required or not self._known.keys or self._known.enough(list(matched.values()), _filled(row)):
                    for span in groups(number, row, matched, self._known, self._near(number)):
                        header = extend(number, span, dict(around), self._near(number), self._known, above=False)
                        self._begin(header, around)
            if number >= header_row:
                self._claim(number, row)
        if required and not self.tables:
            raise FileRefused(f"Sheet {self._page.name!r}: expected a header in row {header_row}, found an empty row.")
        self._settle()

    def guess(self) -> None:
        """The first row of nothing but texts that is at least half as wide as the widest one near the top."""
        top = []
        for number, row in self._page.rows():
            if number > _GUESSED_FROM:
                break
            top.append((number, row))
        if not top:
            return
        widest = max(_filled(row) for _, row in top)
        likely = (
            number
            for number, row in top
            if _filled(row) >= max(widest / 2, min(widest, 2)) and all(isinstance(cell, str) for cell in row)
        )
        self.at(next(likely, top[0][0]), required=True)

    def unrecognised(self) -> Iterator[dict[str, Any]]:
        """What lies on the sheet outside of all tables, where it is more than a title."""
        rows = [(number, row) for number, row in self._unclaimed if _filled(row) >= _TITLE_CELLS] or self._unclaimed
        if not self._unclaimed_rows or (self.tables and len(rows) <= _TITLE_ROWS):
            return
        if self.tables and not any(_filled(row) >= _TITLE_CELLS for _, row in rows):
            return
        number, row = rows[0]
        yield {
            "sheet": self._page.name,
            "first_row": number,
            "rows": self._unclaimed_rows,
            "cells": [as_text(cell)[:_SHOWN] for cell in row if cell != ""][:_SHOWN],
            "filled": self._unclaimed_cells,
        }

    def _rows(self) -> Iterator[tuple[_Row, Sequence[_Row]]]:
        """Rows one after another, each with those around it."""
        nothing: _Row = (0, [])
        window = deque([nothing] * (2 * LEVELS - 1), maxlen=2 * LEVELS - 1)
        for coming in chain(self._page.rows(), [nothing] * (LEVELS - 1)):
            window.append(coming)
            current = window[LEVELS - 1]
            if current[0]:
                self._last_row = current[0]
                yield current, window

    def _open(self, number: int, row: Sequence[Any], around: Sequence[_Row]) -> None:
        """Begin the tables whose header this row is."""
        near = self._near(number)
        row = uncovered(number, row, dict(around), near)
        matched = self._known.matched(row)
        if not self._known.enough(list(matched.values()), _filled(row)):
            return
        for span in groups(number, row, matched, self._known, near):
            before = [table for table in self.tables if not table.closed and _overlap(table.header, span)]
            if any(table.header.repeats(row) for table in before):
                continue
            keys = [key for column, key in matched.items() if span[0] <= column <= span[1]]
            width = sum(1 for cell in row[span[0] - 1 : span[1]] if cell != "")
            if before and not self._known.begins_another(keys, width):
                continue
            header = extend(number, span, dict(around), near, self._known, above=not before)
            for table in before:
                table.closed = True
                table.last_row = header.top - 1
            self._begin(header, around)

    def _begin(self, header: Header, around: Sequence[_Row]) -> None:
        self._unclaimed = [(number, row) for number, row in self._unclaimed if number < header.top]
        above = [cell for number, row in around if number < header.top for cell in row if type(cell) is str]
        notes = set(map(unit_note, above)) - {""}
        self.tables.append(_Found(header, unit=notes.pop() if len(notes) == 1 else ""))
        self._header_ends = max(self._header_ends, header.bottom)
        open_tables = [table.header for table in self.tables if not table.closed]
        self._width = open_tables[0].last if len(open_tables) == 1 and header.first == 1 else 0

    def _near(self, number: int) -> list[Range]:
        """Merged ranges that may belong to a header in this row; rows only ever go down."""
        merged = self._merged
        while self._merged_at < len(merged) and merged[self._merged_at][0] < number - LEVELS:
            self._merged_at += 1
        near = []
        for found in merged[self._merged_at :]:
            if found[0] > number + LEVELS:
                break
            near.append(found)
        return near

    def _claim(self, number: int, row: list[Any]) -> None:
        """Remember the columns that a row fills beside the headers, or that no table has begun yet."""
        if not self.tables:
            self._unclaimed_rows += 1
            self._unclaimed_cells += _filled(row)
            if len(self._unclaimed) < _GUESSED_FROM:
                self._unclaimed.append((number, row))
            return
        if len(row) <= self._width and not self._faults:
            return
        faulty = [column for column, _, _ in self._faults.get(number, ())]
        for table in self.tables:
            if table.closed:
                continue
            first, last = table.header.first, table.header.last
            outside = chain(range(1, min(first, len(row) + 1)), range(last + 1, len(row) + 1))
            table.beside.update(column for column in outside if row[column - 1] != "")
            table.beside.update(column for column in faulty if not first <= column <= last)

    def _settle(self) -> None:
        """Each table ends where the sheet or another table does; a cell beside the headers belongs to one of them."""
        for table in self.tables:
            if not table.closed:
                table.last_row = self._last_row
        for table in self.tables:
            rivals = [
                other.header
                for other in self.tables
                if other is not table and other.header.top <= table.last_row and other.last_row >= table.header.top
            ]
            right = min((rival.first for rival in rivals if rival.first > table.header.last), default=_NO_COLUMN)
            left = table.header.first if any(rival.last < table.header.first for rival in rivals) else 1
            table.beside = {at for at in table.beside if left <= at < right}


def _place(table: _Found, page: Page, hidden: str, *, date_1904: bool) -> dict[str, Any]:
    header = table.header
    first = min({header.first, *table.beside})
    last = max({header.last, *table.beside})
    if last - first >= COLUMNS:
        raise FileRefused(
            f"Sheet {page.name!r}: expected at most {COLUMNS:,} columns, found {last - first + 1:,}. Delete those "
            "that are not needed."
        )
    cells = [""] * (header.first - first) + list(header.names) + [""] * (last - header.last)
    names, repeated = header_names(cells, first)
    unseen = sorted(page.facts.hidden_columns & set(range(first, last + 1))) if hidden == "set_aside" else []
    return {
        "sheet": page.name,
        "header_row": header.top,
        "header_rows": header.bottom - header.top + 1,
        "first_column": first,
        "last_column": last,
        "last_row": max(table.last_row, header.bottom),
        "columns": [name for column, name in enumerate(names, start=first) if column not in unseen],
        "repeated": sorted(repeated),
        "hidden": hidden,
        "hidden_columns": unseen,
        "date_1904": date_1904,
        "unit": table.unit,
    }


def _filled(row: Sequence[Any]) -> int:
    return sum(1 for cell in row if cell != "")


def _overlap(header: Header, span: tuple[int, int]) -> bool:
    return header.first <= span[1] and span[0] <= header.last
