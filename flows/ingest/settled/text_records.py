"""The records of a CSV file by number: where each lies, and a hash of its bytes; without parsing a field.

A line end outside a quotation ends a record. Whether a quotation is open is told by the number of quotation marks
before it, which is right as long as marks do nothing but quote: each opens at the beginning of a field, and closes at
the end of one or is doubled. A file in which one does not is not taken apart here.
"""
# ruff: noqa: S608 (statements are composed of this package's own selects)

import codecs
import mmap
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

FIRST_ROW = 2
CHUNK = 1 << 25
"""Bytes that are taken apart at a time."""
LONGEST = 1 << 26
"""Bytes of a record beyond which a file is left to the reader."""
MOST_RECORDS = 1 << 25
"""Records whose places and hashes are held in memory, 24 bytes each; a file with more is left to the reader."""
_NEWLINE, _RETURN = 10, 13
_CODECS = {"utf-8", "utf-8-sig", "gb18030"}
"""Encodings in which line ends, quotation marks and delimiters below ``@`` are never part of another character."""
_SEED = 20171231


@dataclass(frozen=True)
class TextRecords:
    """The records of one file.

    Attributes:
        path: the file.
        source: how it is read.
        whole: the file as its reader has opened it.
        header: the bytes before the first record.
        starts: where each record begins, and the end of the last one.
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
        threads: how many pieces are hashed at a time.
    """
    codec = str(whole.dialect).partition(",")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else source.csv.delimiter
    marks = source.csv.quote.encode(), delimiter.encode()
    if codec not in _CODECS or any(len(mark) != 1 or mark >= b"@" for mark in marks):
        return None
    apart: list[_Piece] = []
    count = 0
    for piece in _apart(path, *marks, threads):
        if piece is None or count > MOST_RECORDS:
            return None
        apart.append(piece)
        count += len(piece.starts)
    if not count:
        return None
    starts, ends = (np.concatenate([getattr(piece, name) for piece in apart]) for name in ("starts", "ends"))
    hashes = np.concatenate([piece.hashes for piece in apart])
    with path.open("rb") as stream:
        header = stream.read(int(ends[0]))
    # A blank line before the header is left to the reader.
    if starts[0] != _mark_length(header) or not header.endswith(b"\n"):
        return None
    return TextRecords(path, source, whole, header, starts[1:], ends[1:], hashes[1:])


@dataclass(frozen=True)
class _Piece:
    """Records of a piece of text that are not blank."""

    starts: "Places"
    ends: "Places"
    hashes: "Hashes"


def _apart(path: Path, quote: bytes, delimiter: bytes, threads: int) -> Iterator[_Piece | None]:
    """The pieces of a file in order; None for one that cannot be taken apart for certain."""
    waiting: deque[Future[_Piece | None]] = deque()
    with ThreadPoolExecutor(threads) as workers:
        for offset, text in _pieces(path, quote):
            waiting.append(workers.submit(_take_apart, text, offset, quote, delimiter))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        for one in waiting:
            yield one.result()


def _mark_length(start: bytes) -> int:
    return len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0


def _pieces(path: Path, quote: bytes) -> Iterator[tuple[int, bytes | None]]:
    """A file in pieces of whole records, with where each begins; None for a record that is too long."""
    rest = b""
    with path.open("rb") as stream:
        offset = _mark_length(stream.read(len(codecs.BOM_UTF8)))
        stream.seek(offset)
        while chunk := stream.read(CHUNK):
            text = rest + chunk
            cut = _end_of_records(text, quote)
            if not cut and len(text) > LONGEST:
                yield offset, None
                return
            if cut:
                yield offset, text[:cut]
                offset += cut
            rest = text[cut:]
    if rest:
        yield offset, None if rest.count(quote) % 2 else rest + b"\n"


def _end_of_records(text: bytes, quote: bytes) -> int:
    """The end of the last whole record of a text that begins with one."""
    cut = text.rfind(b"\n") + 1
    if text.count(quote, 0, cut) % 2 == 0:
        return cut
    content = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(content == _NEWLINE) + 1
    ends = ends[np.searchsorted(np.flatnonzero(content == quote[0]), ends) % 2 == 0]
    return int(ends[-1]) if len(ends) else 0


def _take_apart(text: bytes | None, offset: int, quote: bytes, delimiter: bytes) -> _Piece | None:
    if text is None:
        return None
    content = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(content == _NEWLINE) + 1
    if quote in text:
        marks = np.flatnonzero(content == quote[0])
        if not _only_quote(content, marks, quote[0], delimiter[0]):
            return None
        ends = ends[np.searchsorted(marks, ends) % 2 == 0]
    if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
        return None
    bounds = np.concatenate([np.zeros(1, np.int64), ends])
    whole = pa.Array.from_buffers(pa.large_binary(), len(ends), [None, pa.py_buffer(bounds), pa.py_buffer(text)])
    series = pl.from_arrow(whole.cast(pa.binary_view()))  # as polars holds it: nothing is copied
    assert isinstance(series, pl.Series)  # noqa: S101 (an array is a series)
    starts, hashes = bounds[:-1], series.hash(seed=_SEED).to_numpy()
    length = ends - starts
    blank = (length == 1) | ((length == 2) & (content[starts] == _RETURN))  # noqa: PLR2004 (a carriage return and a newline)
    kept = ~blank if blank.any() else slice(None)
    return _Piece(starts[kept] + offset, ends[kept] + offset, hashes[kept])


def _only_quote(content: "NDArray[np.uint8]", marks: "Places", quote: int, delimiter: int) -> bool:
    """Whether every quotation opens at the beginning of a field and closes at the end of one, or is a doubled mark."""
    opens, closes = marks[::2], marks[1::2]
    before, after = content[opens - 1], content[closes + 1]
    begins = (opens == 0) | (before == delimiter) | (before == _NEWLINE) | (before == quote)
    ends = (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == quote)
    return bool(begins.all() and ends.all())
