"""The parts of an xlsx archive: checked before anything unpacks them, and read for what the cell reader does not tell.

Runs in the sandbox. calamine gives typed cells, but neither formulas without a value, nor errors, nor what is hidden.
"""

import posixpath
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from xml.parsers import expat

from flows.ingest.readers.limits import ARCHIVE_PARTS, DIRECTORY_BYTES, RATIO, RATIO_COUNTS_FROM, UNPACKED_BYTES, MiB
from flows.ingest.readers.names import FileRefused

FORMULA_NOT_COMPUTED, CELL_ERROR = "formula_not_computed", "cell_error"
CHUNK = 1 << 20
_OVERLAP = 256
_SHOWN = 200
_END_RECORD = b"PK\x05\x06"
_END_RECORD_BYTES = 22
_LONGEST_COMMENT = 1 << 16
# A sheet is parsed only where a formula is not followed by its value, an error stands, or a comment may hide one. Each
# pattern begins with plain text, which is what makes the search fast.
_NO_VALUE = rb"\s*(?:</|<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*></)"
_SUSPECT = (
    re.compile(rb"f>" + _NO_VALUE),
    re.compile(rb"<f\b[^>]*/>" + _NO_VALUE),
    re.compile(rb":f\b[^>]*/>" + _NO_VALUE),
    re.compile(rb"t=[\"']e[\"']"),
    re.compile(rb"<!--"),
)
_FORMULA = (re.compile(rb"<f[\s/>]"), re.compile(rb":f[\s/>]"))
_HIDDEN = (re.compile(rb"hidden="),)
_DOCTYPE = b"<!DOCTYPE"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass
class SheetFacts:
    """What the XML of a sheet tells beyond its values; rows and columns are counted from 1.

    Attributes:
        faults: by row, the cells that hold no value though one was meant: column, reason code, formula or error.
        hidden_rows, hidden_columns: those a person does not see.
    """

    faults: dict[int, list[tuple[int, str, str]]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


class Package:
    """An xlsx archive that has been measured.

    Raises:
        FileRefused: it is no zip archive, a damaged one, or one made to exhaust whoever unpacks it.
    """

    def __init__(self, path: Path) -> None:
        _refuse_huge_directory(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, UnicodeError, struct.error) as error:
            raise _damaged(error) from error
        self._parts = {_part_name(part.filename): part for part in self._archive.infolist()}
        self._refuse_bombs(path)
        for name in ("xl/workbook.xml", "xl/styles.xml", "xl/sharedstrings.xml"):
            for _ in self._chunks(name):
                pass

    def facts(self, sheet: str, *, with_hidden: bool) -> SheetFacts:
        """Faulty cells of a sheet, and its hidden rows and columns where they are asked for."""
        part = self._sheets.get(sheet)
        if part is None or part not in self._parts:
            raise FileRefused(
                f"Sheet {sheet!r}: expected its cells in the workbook, found none. Save the workbook anew."
            )
        if not self._is_suspect(part, with_hidden=with_hidden):
            return SheetFacts()
        parser = _SheetParser(recalculates=self._recalculates)
        for chunk in self._chunks(part):
            parser.feed(chunk)
        return parser.facts

    @cached_property
    def date_1904(self) -> bool:
        """Whether serial numbers count days from 1904."""
        return self._workbook[1].get("date1904", "0") in {"1", "true"}

    def sheet_chunks(self, sheet: str) -> Iterator[bytes]:
        """The XML of a sheet."""
        return self._chunks(self._sheets.get(sheet, ""))

    def unpacked(self) -> dict[str, int]:
        """Unpacked bytes by part, as the archive states them."""
        return {name: part.file_size for name, part in self._parts.items()}

    @property
    def sheet_names(self) -> tuple[str, ...]:
        """Names of the sheets whose part is known."""
        return tuple(self._sheets)

    @property
    def _recalculates(self) -> bool:
        """Whether the program that wrote it left all formulas to be computed when it is opened."""
        return self._workbook[2].get("fullCalcOnLoad", "0") in {"1", "true"}

    @cached_property
    def _workbook(self) -> tuple[list[tuple[str, str]], dict[str, str], dict[str, str]]:
        """Names and relations of the sheets, and the attributes of ``workbookPr`` and ``calcPr``."""
        sheets: list[tuple[str, str]] = []
        options: dict[str, str] = {}
        calculation: dict[str, str] = {}
        for tag, attributes in self._elements("xl/workbook.xml"):
            if tag == "sheet":
                relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
                sheets.append((attributes.get("name", ""), relation))
            elif tag == "workbookPr":
                options = attributes
            elif tag == "calcPr":
                calculation = attributes
        return sheets, options, calculation

    @cached_property
    def _sheets(self) -> dict[str, str]:
        """Part of each sheet by the sheet's name."""
        targets = {
            attributes.get("Id", ""): attributes.get("Target", "")
            for tag, attributes in self._elements("xl/_rels/workbook.xml.rels")
            if tag == "Relationship"
        }
        return {
            name: _part_name(posixpath.normpath(posixpath.join("/xl", targets[relation].replace("\\", "/"))))
            for name, relation in self._workbook[0]
            if relation in targets
        }

    def _elements(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Elements of a small part, without their prefixes."""
        found: list[tuple[str, dict[str, str]]] = []
        parser = _parser()
        parser.StartElementHandler = lambda tag, attributes: found.append((tag.rpartition(":")[2], attributes))
        for chunk in self._chunks(part):
            _feed(parser, chunk)
        return iter(found)

    def _is_suspect(self, part: str, *, with_hidden: bool) -> bool:
        """Whether anything in the part asks for a closer look; all of it is unpacked, so its sizes are proven too."""
        patterns = (*_SUSPECT, *(_HIDDEN if with_hidden else ()), *(_FORMULA if self._recalculates else ()))
        suspect = False
        tail = b""
        for chunk in self._chunks(part):
            if not suspect:
                window = tail + chunk
                suspect = any(pattern.search(window) for pattern in patterns)
                tail = window[-_OVERLAP:]
        return suspect

    def _chunks(self, name: str) -> Iterator[bytes]:
        """A part unpacked piece by piece; one that declares a document type is refused."""
        part = self._parts.get(name)
        if part is None:
            return
        tail = b""
        try:
            with self._archive.open(part) as stream:
                while chunk := stream.read(CHUNK):
                    if not tail and chunk.startswith(_UTF16):
                        raise FileRefused(f"Expected the part {name} in UTF-8, found UTF-16. Save the workbook anew.")
                    if _DOCTYPE in tail + chunk[: len(_DOCTYPE)] or _DOCTYPE in chunk:
                        raise FileRefused(
                            f"Expected cells in {name}, found a document type declaration, which no spreadsheet "
                            "program writes. Do not use this file; ask whoever sent it."
                        )
                    tail = chunk[-len(_DOCTYPE) :]
                    yield chunk
        except (zipfile.BadZipFile, zipfile.zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:  # type: ignore[attr-defined]
            raise _damaged(error) from error

    def _refuse_bombs(self, path: Path) -> None:
        parts = self._archive.infolist()
        if len(parts) > ARCHIVE_PARTS:
            raise FileRefused(f"Expected a workbook of at most {ARCHIVE_PARTS:,} parts, found {len(parts):,}. {_HINT}")
        unpacked = sum(part.file_size for part in parts)
        packed = max(1, path.stat().st_size)
        if unpacked > UNPACKED_BYTES or (unpacked > RATIO_COUNTS_FROM and unpacked / packed > RATIO):
            raise FileRefused(
                f"Expected a workbook of at most {UNPACKED_BYTES // MiB} MB unpacked, found {unpacked // MiB} MB "
                f"in a file of {packed >> 10} KB. {_HINT}"
            )
        ordered = sorted(parts, key=lambda part: part.header_offset)
        for part, following in zip(ordered, ordered[1:], strict=False):
            if part.header_offset + part.compress_size > following.header_offset:
                raise FileRefused(
                    f"Expected parts that lie one after another, found {part.filename!r} and {following.filename!r} in "
                    "the same place: an archive made to unpack without end. Do not use this file; ask whoever sent it."
                )


_HINT = "Save only the rows in use as a new workbook, or export CSV."


class _SheetParser:
    """Streams the XML of a sheet for faulty cells and hidden rows and columns."""

    def __init__(self, *, recalculates: bool) -> None:
        self.facts = SheetFacts()
        self._recalculates = recalculates
        self._row = self._column = 0
        self._kind = ""
        self._formula: list[str] | None = None
        self._value: list[str] = []
        self._parser = _parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.buffer_text = True

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the part."""
        _feed(self._parser, chunk)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "c":
            place = _CELL.fullmatch(attributes.get("r", ""))
            self._column = column_number(place[1]) if place else self._column + 1
            self._kind = attributes.get("t", "")
            self._formula, self._value = None, []
        elif tag == "f":
            self._formula = []
            self._parser.CharacterDataHandler = self._formula.append
        elif tag == "v":
            self._parser.CharacterDataHandler = self._value.append
        elif tag == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() else self._row + 1
            self._column = 0
            if attributes.get("hidden", "0") in {"1", "true"}:
                self.facts.hidden_rows.add(self._row)
        elif tag == "col" and attributes.get("hidden", "0") in {"1", "true"}:
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.facts.hidden_columns.update(range(first, min(last, 1 << 14) + 1))

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in {"f", "v"}:
            self._parser.CharacterDataHandler = None
        elif tag == "c":
            value = "".join(self._value).strip()
            if self._kind == "e":
                self._fault(CELL_ERROR, value or "#N/A")
            elif self._formula is not None and self._lacks_value(value):
                self._fault(FORMULA_NOT_COMPUTED, "=" + "".join(self._formula)[:_SHOWN])

    def _lacks_value(self, value: str) -> bool:
        """No value at all, or the zero that a program writes which leaves the computing to whoever opens the file.

        A formula whose value is an empty text says so: its kind is ``str``.
        """
        if self._kind == "str":
            return False
        return not value or (self._recalculates and value == "0")

    def _fault(self, reason: str, value: str) -> None:
        self.facts.faults.setdefault(self._row, []).append((self._column, reason, value))


def column_number(letters: str) -> int:
    """A = 1, XFD = 16384."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _part_name(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _refuse_huge_directory(path: Path) -> None:
    """Refuse an archive whose directory alone would take hundreds of megabytes to hold."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _END_RECORD_BYTES - _LONGEST_COMMENT))
        end = stream.read()
    at = end.rfind(_END_RECORD)
    if at < 0 or len(end) < at + _END_RECORD_BYTES:
        raise _damaged(ValueError("the archive has no end, as if it was cut off"))
    parts, directory = struct.unpack_from("<HI", end, at + 10)
    if directory > DIRECTORY_BYTES or parts == 0xFFFF:
        raise FileRefused(f"Expected a workbook of at most {ARCHIVE_PARTS:,} parts, found far more. {_HINT}")


def _damaged(error: Exception) -> FileRefused:
    return FileRefused(
        f"Expected an xlsx workbook, found something else or a damaged one ({error}). Save it as .xlsx without a "
        "password, and copy it again."
    )


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise FileRefused("Expected cells, found a document type declaration. Do not use this file; ask whoever sent it.")


def _feed(parser: expat.XMLParserType, chunk: bytes) -> None:
    try:
        parser.Parse(chunk, False)
    except expat.ExpatError as error:
        raise _damaged(error) from error
