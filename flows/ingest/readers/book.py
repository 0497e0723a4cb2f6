"""A workbook opened in the sandbox: what kind of file it is, its sheets, and what their XML or records tell of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine

from flows.ingest.headers import header_name
from flows.ingest.readers.biff import Records
from flows.ingest.readers.limits import MERGED_RANGES, SHEETS
from flows.ingest.readers.names import FileRefused
from flows.ingest.readers.parts import Package, SheetFacts

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_LOOKED_AT = 1 << 16
_PROTECTED = "Expected a workbook without a password, found a protected one. Remove the password and save it again."
_OTHERS = (
    (b"<?xml", "an XML file"),
    (b"<html", "a web page"),
    (b"<!doctype html", "a web page"),
    (b"<table", "a web page"),
    (b"%pdf", "a PDF"),
    (b"par1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"mz", "a program"),
)


class Book:
    """A workbook in one of the formats of Excel, told by its content: exports are often named for another one.

    Args:
        path: the file.
        folder: of the job; the file is linked there under the ending that belongs to its content.

    Raises:
        FileRefused: it is no workbook, a damaged or protected one, or too large.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        with path.open("rb") as stream:
            start = stream.read(_LOOKED_AT)
        if start.startswith(_ZIP):
            self._parts: Package | Records = Package(path)
            link = folder / "book.xlsx"
        elif start.startswith(_OLE):
            if _ENCRYPTED in start or _holds(path, _ENCRYPTED):
                raise FileRefused(_PROTECTED)
            self._parts = Records(path)
            link = folder / "book.xls"
        else:
            raise FileRefused(f"Expected a workbook, found {_looks_like(start)}. Save it as .xlsx, or export CSV.")
        link.symlink_to(path)
        try:
            self._workbook = python_calamine.CalamineWorkbook.from_path(link)
        except python_calamine.PasswordError as error:
            raise FileRefused(_PROTECTED) from error
        except (python_calamine.CalamineError, OSError) as error:
            raise FileRefused(
                f"Expected a workbook, found a damaged one ({error}). Open it in a spreadsheet program and "
                "save it as a new .xlsx."
            ) from error
        finally:
            link.unlink()
        sheets = [sheet for sheet in self._workbook.sheets_metadata if _is_worksheet(sheet)]
        if len(sheets) > SHEETS:
            raise FileRefused(
                f"Expected a workbook of at most {SHEETS:,} sheets, found {len(sheets):,}. Keep those with data."
            )
        self._visible = {sheet.name: sheet.visible == python_calamine.SheetVisibleEnum.Visible for sheet in sheets}

    @property
    def date_1904(self) -> bool:
        """Whether serial numbers count days from 1904."""
        return self._parts.date_1904

    def chosen(self, sheet: str | None) -> list[str]:
        """Names of sheets: None is the first that is not hidden, ``*`` all of them, else the one of that name.

        Raises:
            FileRefused: there is no such sheet.
        """
        names = list(self._visible)
        if sheet == "*":
            return names
        if sheet is None:
            return [next((name for name in names if self._visible[name]), names[0])] if names else []
        alike = [name for name in names if name == sheet] or [n for n in names if header_name(n) == header_name(sheet)]
        if not alike:
            raise FileRefused(f"Expected the sheet {sheet!r}, found only {', '.join(map(repr, names))}.")
        return alike[:1]

    def page(self, name: str, *, with_hidden: bool) -> "Page":
        """The cells of one sheet, after its part has been looked through.

        Args:
            name: of the sheet.
            with_hidden: whether it is asked which rows and columns are hidden.

        Raises:
            FileRefused: its part is damaged.
        """
        facts = self._parts.facts(name, with_hidden=with_hidden)
        try:
            cells = self._workbook.get_sheet_by_name(name)
        except (python_calamine.CalamineError, OSError, IndexError) as error:
            raise FileRefused(
                f"Sheet {name!r}: expected its cells, found a damaged part ({error}). Save the workbook anew."
            ) from error
        return Page(name, cells, facts, hidden=not self._visible[name])


class Page:
    """The cells of one sheet; rows and columns are counted from 1.

    Args:
        name: its name.
        cells: its typed cells.
        facts: cells without their value, and what is hidden.
        hidden: whether the whole sheet is hidden.
    """

    def __init__(self, name: str, cells: python_calamine.CalamineSheet, facts: SheetFacts, *, hidden: bool) -> None:
        self.name = name
        self.facts = facts
        self.hidden = hidden
        self._cells = cells

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Rows that are not blank, by number; one that holds nothing but cells without their value is among them."""
        faults = self.facts.faults
        # calamine leaves out blank columns at the left edge, but not blank rows at the top.
        margin = [""] * self._cells.start[1] if self._cells.start else []
        number = 0
        for number, row in enumerate(self._cells.iter_rows(), start=1):
            if row.count("") < len(row) or number in faults:
                yield number, margin + row if margin else row
        # Cells without a value below the last one that has one.
        for below in sorted(row for row in faults if row > number):
            yield below, []

    def merged(self) -> list[tuple[int, int, int, int]]:
        """Merged ranges: first row, first column, last row, last column, in the order of their rows."""
        ranges = self._cells.merged_cell_ranges or []
        if len(ranges) > MERGED_RANGES:
            raise FileRefused(
                f"Sheet {self.name!r}: expected at most {MERGED_RANGES:,} merged ranges, found {len(ranges):,}. "
                "Unmerge the cells, or export CSV."
            )
        return sorted((top + 1, left + 1, bottom + 1, right + 1) for (top, left), (bottom, right) in ranges)


def _is_worksheet(sheet: python_calamine.SheetMetadata) -> bool:
    return sheet.typ == python_calamine.SheetTypeEnum.WorkSheet


def _holds(path: Path, mark: bytes) -> bool:
    """Whether a mark stands in the file; the directory of an OLE file may lie anywhere in it."""
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            if mark in tail + chunk:
                return True
            tail = chunk[-len(mark) :]
    return False


def _looks_like(start: bytes) -> str:
    lowered = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not lowered:
        return "an empty file"
    return next((what for mark, what in _OTHERS if lowered.startswith(mark)), "something else")
