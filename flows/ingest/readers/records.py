"""The records of one table of a workbook, written in batches, and apart from them its rows that are none.

Runs in the sandbox. Every row of the table that is not blank is written once: as a record, or set aside.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.ingest.headers import header_name
from flows.ingest.readers.book import Book, Page
from flows.ingest.readers.cells import BatchWriter, as_text
from flows.ingest.readers.limits import BATCH_CELLS
from flows.ingest.readers.names import NAMELESS, FileRefused
from flows.ingest.readers.row_kinds import HIDDEN, NOTE, RowKinds
from flows.ingest.readers.sheet_header import Range

_HELD_BACK = 1_000
"""Rows that may turn out to be notes, held until a record follows or the table ends."""

_Fault = tuple[int, str, str]
_Covered = tuple[int, int]
"""Position of a cell that is covered by a merged range, and the row in which the range begins."""
_Pending = tuple[int, list[Any], list[_Fault], list[_Covered]]


def read_job(folder: Path, path: str, place: dict[str, Any], batch_rows: int) -> dict[str, Any]:
    """Write the records of a table.

    Args:
        folder: of the job; the batches are written there.
        path: the workbook.
        place: fields of ``TablePlace``.
        batch_rows: rows of a batch, fewer where the table is wide.

    Returns:
        ``batches``: how many were written.
    """
    book = Book(Path(path), folder)
    page = book.page(book.chosen(place["sheet"])[0], with_hidden=place["hidden"] == "set_aside")
    writer = BatchWriter(folder, place["columns"])
    _Records(page, place, writer, batch_rows).write()
    return {"batches": writer.count}


class _Records:
    """Streams one table."""

    def __init__(self, page: Page, place: dict[str, Any], writer: BatchWriter, batch_rows: int) -> None:
        self._page = page
        self._facts = page.facts
        self._place = place
        self._writer = writer
        self._first, self._last = place["first_column"], place["last_column"]
        self._kept = [at for at in range(self._width) if at + self._first not in set(place["hidden_columns"])]
        self._all_kept = len(self._kept) == self._width
        self._batch_rows = min(batch_rows, max(1, BATCH_CELLS // self._width))
        self._merges = _Merges(page.merged(), place)
        self._rows: list[Sequence[Any]] = []
        self._numbers: list[int] = []
        self._set_aside: list[tuple[int, str, dict[str, str]]] = []
        self._faults: list[tuple[int, str, str, str]] = []
        self._covered: list[tuple[int, str, int]] = []
        self._held: list[_Pending] = []
        self._last_record = 0

    @property
    def _width(self) -> int:
        return int(self._last - self._first + 1)

    def write(self) -> None:
        """Write all batches."""
        top, levels, end = self._place["header_row"], self._place["header_rows"], self._place["last_row"]
        body = top + levels
        self._last_record = body - 1
        header = [[""] * self._width for _ in range(levels)]
        kinds: RowKinds | None = None
        for number, row in self._page.rows():
            if number < top:
                continue
            if number > end:
                break
            cells = self._cells(row)
            if number < body:
                header[number - top] = [header_name(as_text(cell)) if cell != "" else "" for cell in cells]
                continue
            kinds = kinds or self._kinds(header)
            self._take(number, cells, kinds)
        self._release(as_notes=True)
        self._flush()

    def _kinds(self, header: Sequence[Sequence[str]]) -> RowKinds:
        """Refuses a sheet that is not the one that was surveyed."""
        named = {at for at in self._kept if any(level[at] for level in header)}
        if not named:
            raise FileRefused(
                f"Sheet {self._page.name!r}: expected a header in row {self._place['header_row']}, found an empty row."
            )
        names = dict(zip(self._kept, self._place["columns"], strict=True))
        nameless = frozenset(at for at in self._kept if at not in named and names[at].startswith(NAMELESS))
        return RowKinds(header, nameless)

    def _cells(self, row: list[Any]) -> list[Any]:
        cells = row if self._first == 1 and len(row) == self._last else row[self._first - 1 : self._last]
        return cells if len(cells) == self._width else cells + [""] * (self._width - len(cells))

    def _take(self, number: int, cells: list[Any], kinds: RowKinds) -> None:
        faults = [
            (column - self._first, reason, value)
            for column, reason, value in self._facts.faults.get(number, ())
            if self._first <= column <= self._last
        ]
        if not faults and cells.count("") == self._width:
            return
        if self._page.hidden and self._place["hidden"] == "set_aside" or number in self._facts.hidden_rows:
            self._put_aside(number, HIDDEN, cells, faults)
            return
        across = self._merges.across(number)
        kind = kinds.kind(cells, faulty=bool(faults), across=across)
        if kind is not None:
            self._put_aside(number, kind, cells, faults)
            return
        cells, faults, covered = self._merges.fill(number, cells, faults)
        after_blank = number > (self._held[-1][0] if self._held else self._last_record) + 1 or bool(self._held)
        if not faults and len(self._held) < _HELD_BACK and kinds.may_be_note(cells, after_blank=after_blank):
            self._held.append((number, cells, faults, covered))
            return
        self._release(as_notes=False)
        self._keep(number, cells, faults, covered)

    def _release(self, *, as_notes: bool) -> None:
        """Decide on the rows held back: notes if the table ends after them, records if it goes on."""
        held, self._held = self._held, []
        for number, cells, faults, covered in held:
            if as_notes:
                self._put_aside(number, NOTE, cells, faults)
            else:
                self._keep(number, cells, faults, covered)

    def _keep(self, number: int, cells: list[Any], faults: list[_Fault], covered: list[_Covered]) -> None:
        self._last_record = number
        self._rows.append(cells if self._all_kept else [cells[at] for at in self._kept])
        self._numbers.append(number)
        for at, reason, value in faults:
            if at in self._kept:
                self._faults.append((number, self._name(at), reason, value))
        self._covered.extend((number, self._name(at), top) for at, top in covered if at in self._kept)
        # What a merged range joins is judged together, so a batch does not end amid one, unless that is far too long.
        room = 2 if self._merges.go_on_after(number) else 1
        if len(self._rows) >= room * self._batch_rows:
            self._flush()

    def _put_aside(self, number: int, kind: str, cells: list[Any], faults: list[_Fault]) -> None:
        raw = {self._name(at): as_text(cells[at]) for at in range(self._width) if cells[at] != ""}
        raw |= {self._name(at): value for at, _, value in faults}
        self._set_aside.append((number, kind, raw))
        if len(self._set_aside) >= self._batch_rows:
            self._flush()

    def _name(self, at: int) -> str:
        if self._all_kept or at in self._kept:
            return str(self._place["columns"][self._kept.index(at)])
        return f"{NAMELESS}{at + self._first})"

    def _flush(self) -> None:
        self._writer.write(self._rows, self._numbers, self._set_aside, self._faults, self._covered)
        self._rows, self._numbers, self._set_aside, self._faults, self._covered = [], [], [], [], []


class _Merges:
    """Merged ranges of a table's body: a cell that is covered by one has the value of its first cell.

    Args:
        ranges: of the sheet, in the order of their rows.
        place: fields of ``TablePlace``.
    """

    def __init__(self, ranges: Sequence[Range], place: dict[str, Any]) -> None:
        self._left, self._right = place["first_column"], place["last_column"]
        body = place["header_row"] + place["header_rows"]
        self._ranges = [
            (top, max(left, self._left), bottom, min(right, self._right))
            for top, left, bottom, right in ranges
            if top >= body and left <= self._right and right >= self._left
        ]
        self._at = 0
        self._starting: list[Range] = []
        self._active: dict[int, tuple[int, int, Any, list[_Fault]]] = {}

    def across(self, number: int) -> int:
        """Go on to a row; over how many columns the widest range goes that begins there."""
        self._starting = []
        while self._at < len(self._ranges) and self._ranges[self._at][0] <= number:
            if self._ranges[self._at][0] == number:
                self._starting.append(self._ranges[self._at])
            self._at += 1
        return max((right - left + 1 for _, left, _, right in self._starting), default=0)

    def go_on_after(self, number: int) -> bool:
        """Whether a range that covers a row covers the next one, too."""
        return any(bottom > number for _, bottom, _, _ in self._active.values())

    def fill(
        self, number: int, cells: list[Any], faults: list[_Fault]
    ) -> tuple[list[Any], list[_Fault], list[_Covered]]:
        """The cells of a row with those filled that a merged range covers; where its first cell is faulty, all are.

        Returns:
            The cells, the faulty ones among them, and those whose value stands in a row above.
        """
        if not self._starting and not self._active:
            return cells, faults, []
        cells, faults = list(cells), list(faults)
        covered: list[_Covered] = []
        for top, left, bottom, right in self._starting:
            at = left - self._left
            first = [fault for fault in faults if fault[0] == at]
            for column in range(at, right - self._left + 1):
                self._active[column] = (top, bottom, cells[at], first)
        taken = {fault[0] for fault in faults}
        for column, (top, bottom, value, first) in list(self._active.items()):
            if number > bottom:
                del self._active[column]
            elif cells[column] == "" and column not in taken:
                cells[column] = value
                faults.extend((column, reason, found) for _, reason, found in first)
                if number > top and value != "":
                    covered.append((column, top))
        return cells, faults, covered
