"""One night's folder: tables as CSV, Parquet and JSON lines in parts, soiled on the way, their rows counted."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from flows.demo.dirty import DirtyRow, fray, soil

BOM = b"\xef\xbb\xbf"


class NightFolder:
    """The files of one night.

    A table of a large company comes in several parts (``leads_01.csv``, ``leads_02.csv``), as large exports do.

    Attributes:
        root: the night's folder.
        rows: records by file, dirty ones and ragged lines included, headers not.
        dirty: the faulty cells that were planted.
        masked: cells with masked names in the sheets.
    """

    def __init__(self, root: Path, parts: int) -> None:
        self.root = root
        self.rows: dict[str, int] = {}
        self.dirty: list[DirtyRow] = []
        self.masked: list[dict[str, object]] = []
        self._parts = parts
        self._part = 1
        (root / "crm").mkdir(parents=True, exist_ok=True)

    def next_part(self) -> None:
        """The tables that follow are another part."""
        self._part += 1

    def _file(self, table: str, ending: str) -> str:
        part = f"_{self._part:02d}" if self._parts > 1 and self._part <= self._parts else ""
        return f"crm/{table}{part}.{ending}"

    def csv(self, table: str, frame: pl.DataFrame, *, encoding: str = "utf-8-sig", mistyped: str | None = None) -> None:
        """Write a CSV file; the first part of some tables is soiled."""
        file = self._file(table, "csv")
        frayed = 0
        if self._part == 1:
            frame, dirty = soil(table, file, frame, mistyped)
            text = frame.write_csv().encode()
            if table == "opportunities":
                text, ragged = fray(file, text, frame.height)
                # The record with a comma too many stands before the others and moves them down by one.
                dirty = [*ragged, *(row.moved(1) for row in dirty)]
                frayed = len(ragged)
            self.dirty += dirty
        else:
            text = frame.write_csv().encode()
        if encoding == "utf-8-sig":
            text = BOM + text
        elif encoding != "utf-8":
            text = text.decode().encode(encoding)
        (self.root / file).write_bytes(text)
        self.rows[file] = frame.height + frayed

    def parquet(self, table: str, frame: pl.DataFrame) -> None:
        """Write a Parquet file."""
        file = self._file(table, "parquet")
        frame.write_parquet(self.root / file, compression="zstd", statistics=True)
        self.rows[file] = frame.height

    def json_lines(self, table: str, frame: pl.DataFrame) -> None:
        """Write one JSON object a line; the last line of the first part was cut off while it was written."""
        file = self._file(table, "jsonl")
        with (self.root / file).open("wb") as stream:
            frame.write_ndjson(stream)
            if self._part == 1:
                broken = json.dumps({"id": "A-90000001", "type": "call"})[:-9]
                stream.write(broken.encode() + b"\n")
        self.rows[file] = frame.height + (self._part == 1)
        if self._part == 1:
            self.dirty.append(DirtyRow(file, None, frame.height + 1, None, None, "not_json"))

    def workbook(self, file: str, rows: int | None, write: Callable[[Path], None]) -> None:
        """Write a workbook; ``rows`` is not counted for books of several sheets."""
        write(self.root / file)
        if rows is not None:
            self.rows[file] = rows

    def add_templates(self, written: tuple[dict[str, int], list[DirtyRow], list[dict[str, object]]]) -> None:
        """Take over what was written into the process templates."""
        counts, dirty, masked = written
        self.rows |= counts
        self.dirty += dirty
        self.masked += masked
