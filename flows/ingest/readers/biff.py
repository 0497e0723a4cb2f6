"""What the records of an xls tell of its sheets beyond their values: errors, and what is hidden. Runs in the sandbox.

An xls is a compound file ([MS-CFB]) whose stream ``Workbook`` is a sequence of records ([MS-XLS] 2.1.4): a type, a
length, and so many bytes. Records of no concern here are passed over by their length.
"""

import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from flows.ingest.readers.names import FileRefused
from flows.ingest.readers.parts import CELL_ERROR, SheetFacts

_BOUNDSHEET, _DATEMODE, _BOF, _EOF = 0x85, 0x22, 0x809, 0x0A
_ROW, _COLINFO, _BOOLERR, _FORMULA = 0x208, 0x7D, 0x205, 0x06
_ROW_HIDDEN, _COLUMN_HIDDEN = 0x20, 0x01
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_LAST_SECTOR = 0xFFFFFFFA
_ENTRY_BYTES, _HEADER_SECTORS, _IS_ERROR = 128, 109, 2
_LAST_COLUMN = 256
_ROW_BYTES, _COLINFO_BYTES = 14, 10


class Records:
    """The records of an xls.

    Raises:
        FileRefused: it is no compound file, or a damaged one.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._stream = _workbook_stream(path.read_bytes())
        except (struct.error, IndexError, ValueError) as error:
            raise FileRefused(
                f"Expected an xls workbook, found something else or a damaged one ({error}). Open it in a spreadsheet "
                "program and save it as .xlsx."
            ) from error

    @cached_property
    def date_1904(self) -> bool:
        """Whether serial numbers count days from 1904."""
        return any(kind == _DATEMODE and body[:1] == b"\x01" for kind, body in self._records(0))

    def facts(self, sheet: str, *, with_hidden: bool) -> SheetFacts:
        """Errors of a sheet, and its hidden rows and columns where they are asked for."""
        facts = SheetFacts()
        for kind, body in self._records(self._sheets[sheet]) if sheet in self._sheets else ():
            if (code := _error(kind, body)) is not None:
                row, column = struct.unpack_from("<2H", body)
                facts.faults.setdefault(row + 1, []).append((column + 1, CELL_ERROR, _ERRORS.get(code, "#N/A")))
            elif with_hidden and kind == _ROW and len(body) >= _ROW_BYTES:
                if struct.unpack_from("<H", body, 12)[0] & _ROW_HIDDEN:
                    facts.hidden_rows.add(struct.unpack_from("<H", body)[0] + 1)
            elif with_hidden and kind == _COLINFO and len(body) >= _COLINFO_BYTES:
                first, last, _, _, options = struct.unpack_from("<5H", body)
                if options & _COLUMN_HIDDEN:
                    facts.hidden_columns.update(range(first + 1, min(last, _LAST_COLUMN) + 2))
        return facts

    @cached_property
    def _sheets(self) -> dict[str, int]:
        """Where the records of each sheet begin."""
        found = {}
        for kind, body in self._records(0):
            if kind == _BOUNDSHEET and len(body) > 7:
                characters, wide = body[6], body[7] & 1
                name = body[8 : 8 + characters * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")
                found[name] = struct.unpack_from("<I", body)[0]
        return found

    def _records(self, at: int) -> Iterator[tuple[int, bytes]]:
        """The records of one part of the stream, without those of charts within it."""
        depth = 0
        while at + 4 <= len(self._stream):
            kind, length = struct.unpack_from("<2H", self._stream, at)
            body = self._stream[at + 4 : at + 4 + length]
            depth += (kind == _BOF) - (kind == _EOF)
            if depth <= 0:
                return
            if depth == 1 and len(body) == length:
                yield kind, body
            at += 4 + length


def _error(kind: int, body: bytes) -> int | None:
    """The code of the error that a cell shows, if it does."""
    if kind == _BOOLERR and len(body) > 7 and body[7]:
        return body[6]
    if kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == _IS_ERROR:
        return body[8]
    return None


def _workbook_stream(content: bytes) -> bytes:
    """The stream ``Workbook`` of a compound file."""
    sector, small = (1 << shift for shift in struct.unpack_from("<2H", content, 30))
    if sector not in (512, 4096) or small != 64:
        raise ValueError("its sectors have a size that is none")
    tables, directory_at, _, cutoff, small_at, _, more_at, more = struct.unpack_from("<8I", content, 44)
    sectors = list(struct.unpack_from(f"<{_HEADER_SECTORS}I", content, 76))
    per_sector = sector // 4
    for _ in range(min(more, len(content) // sector)):
        following = struct.unpack_from(f"<{per_sector}I", content, (more_at + 1) * sector)
        sectors += following[:-1]
        more_at = following[-1]
    table: list[int] = []
    for number in sectors[: min(tables, len(content) // sector)]:
        table += struct.unpack_from(f"<{per_sector}I", content, (number + 1) * sector)
    body = content[sector:]
    entries = _entries(_chain(body, table, directory_at, sector))
    start, size = entries.get("workbook") or entries["book"]
    if size >= cutoff:
        return _chain(body, table, start, sector)[:size]
    small_table_bytes = _chain(body, table, small_at, sector)
    small_table = list(struct.unpack(f"<{len(small_table_bytes) // 4}I", small_table_bytes))
    return _chain(_chain(body, table, entries["root entry"][0], sector), small_table, start, small)[:size]


def _entries(directory: bytes) -> dict[str, tuple[int, int]]:
    """First sector and size of the streams by name."""
    found = {}
    for at in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace").lower()
        found[name] = struct.unpack_from("<2I", directory, at + 116)
    if not found.keys() & {"workbook", "book"}:
        raise ValueError("it holds no workbook")
    return found


def _chain(body: bytes, table: list[int], start: int, size: int) -> bytes:
    """The sectors that follow one another from ``start``."""
    pieces: list[bytes] = []
    while start < _LAST_SECTOR:
        if len(pieces) > len(table):
            raise ValueError("its sectors go round in a circle")
        pieces.append(body[start * size : (start + 1) * size])
        start = table[start]
    return b"".join(pieces)
