"""The records of a CSV file by number: where each lies, and a hash of its bytes; without parsing a field.

A line end outside a quotation ends a record. Whether a quotation is open is told by the number of quotation marks
before it, which is right as long as marks do nothing but quote: each opens at the beginning of a field, and closes at
the end of one or is doubled. A file in which one does not is not taken apart here.
"""
# ruff: noqa: S608 (statements are composed of this package's own selects)

import codecs
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from flows.config.sources import Source
from flows.ingest.readers import open_table
from flows.ingest.readers.batch import REASON, ROW, Batch, FileRefused, Table
from flows.ingest.readers.row_kinds import NOTE
from flows.ingest.settled.text_pieces import UncertainError, runs_of_records

if TYPE_CHECKING:
    from flows.ingest.settled.text_pieces import Hashes, Places

FIRST_ROW = 2
MOST_RECORDS = 1 << 25
"""Records whose places and hashes are held in memory, 24 bytes each; a file with more is left to the reader."""
_CODECS = ("utf-8", "utf-8-sig", "gb18030")
"""Encodings in which line ends, quotation marks and delimiters below ``@`` are never part of another character."""


@dataclass(frozen=True)
class TextRecords:
    """The records of one file.

    Attributes:
        path: the file.
        source: how it is read.
        whole: the file as its reader has opened it.
        header: the bytes before the first record.
        starts: where each record begins.
        ends: where it ends.
        hashes: of each record.
    """

    path: Path
    source: Source
    whole: Table
    header: bytes
    starts: "Places"
    ends: "Places"
    hashes: "Hashes"

    @property
    def count(self) -> int:
        """Number of records."""
        return len(self.hashes)

    @property
    def shape(self) -> str:
        """What has to be the same for the hashes of two files to be compared."""
        return f"{self.header.hex()} {self.whole.dialect}"

    def query(self, connection: duckdb.DuckDBPyConnection) -> str:
        """All records as a select: ``row_no`` and ``record``, the hash."""
        numbers = np.arange(FIRST_ROW, FIRST_ROW + self.count, dtype=np.int64)
        connection.register("text_records", pa.table({"row_no": numbers, "record": self.hashes}))
        return "select row_no, record from text_records"

    def table(self, connection: duckdb.DuckDBPyConnection, rows: str, extract: Path) -> Table:
        """Some records as the reader gives them, under their own numbers.

        Args:
            connection: where the select runs.
            rows: a select with ``row_no``.
            extract: where they are written to be read.

        Raises:
            FileRefused: read by themselves, they are not what they are in the file.
        """
        found = connection.execute(f"select row_no from ({rows}) order by row_no").fetchnumpy()["row_no"]
        numbers = np.asarray(found, np.int64)
        self._write(numbers - FIRST_ROW, extract)
        codec = str(self.whole.dialect).partition(",")[0]
        read_as = self.source.model_copy(update={"encoding": codec.removesuffix("-sig")})
        small = open_table(extract, "csv", read_as)
        if small.dialect != self.whole.dialect or small.columns != self.whole.columns:
            raise FileRefused(f"Expected {self.whole.columns} in {self.whole.dialect} again, found {small.columns}.")
        return replace(small, read=lambda: _renumbered(small, pl.Series(numbers, dtype=pl.Int64)))

    def _write(self, at: "Places", extract: Path) -> None:
        extract.parent.mkdir(parents=True, exist_ok=True)
        with (
            self.path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
            extract.open("wb") as target,
        ):
            target.write(self.header)
            for start, end in zip(self.starts[at].tolist(), self.ends[at].tolist(), strict=True):
                record = content[start:end]
                target.write(record if record.endswith(b"\n") else record + b"\n")


def _renumbered(small: Table, numbers: pl.Series) -> Iterator[Batch]:
    """The batches of an extract with the numbers that its records have in the file."""
    seen, aside = 0, {0}
    for batch in small.read():
        parts = {name: getattr(batch, name) for name in ("rows", "faulty", "set_aside")}
        parts = {
            name: frame.with_columns(numbers.gather((frame[ROW] - FIRST_ROW).cast(pl.UInt32)).alias(ROW))
            for name, frame in parts.items()
        }
        _refuse_loose_notes(parts["set_aside"], aside)
        seen += sum(frame.height for frame in parts.values())
        yield replace(batch, **parts)
    if seen != len(numbers):
        raise FileRefused(f"Expected {len(numbers):,} records, found {seen:,}.")


def _refuse_loose_notes(set_aside: pl.DataFrame, aside: set[int]) -> None:
    """A line below the totals of a report is known by the line before it; here that may be another one."""
    for row, kind in set_aside.select(ROW, REASON).iter_rows():
        if kind == NOTE and row - 1 not in aside:
            raise FileRefused(f"Row {row}: cannot be told from a note by itself.")
        aside.add(row)


def text_records(path: Path, source: Source, whole: Table, threads: int) -> TextRecords | None:
    """Take a file apart; None where that cannot be done for certain.

    Args:
        path: the landed file.
        source: how it is read.
        whole: the file as its reader has opened it.
        threads: how many pieces of it are taken apart at a time.
    """
    codec = str(whole.dialect).partition(",")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else source.csv.delimiter
    marks = source.csv.quote.encode(), delimiter.encode()
    if codec not in _CODECS or any(len(mark) != 1 or mark >= b"@" for mark in marks):
        return None
    with path.open("rb") as stream:
        begin = len(codecs.BOM_UTF8) if stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0
    # Room for as many as there may be, of two bytes each: only what is filled takes memory, and nothing is held twice.
    room = min(MOST_RECORDS, path.stat().st_size // 2) + 1
    starts, ends, hashes = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint64)
    count = 0
    try:
        for run in runs_of_records(path, begin, *marks, threads):
            filled = slice(count, count + len(run.hashes))
            count = filled.stop
            if count > room:
                return None
            starts[filled], ends[filled], hashes[filled] = run.starts, run.ends, run.hashes
    except UncertainError:
        return None
    if not count:
        return None
    with path.open("rb") as stream:
        header = stream.read(int(ends[0]))
    # A blank line before the header is left to the reader.
    if starts[0] != begin or not header.endswith(b"\n"):
        return None
    return TextRecords(path, source, whole, header, starts[1:count], ends[1:count], hashes[1:count])
