"""CSV: all values as text, in batches; a record with too few or too many fields is kept aside with its number."""

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.csv

from flows.ingest.readers import encoding
from flows.ingest.readers.batch import (
    RAW,
    REASON,
    ROW,
    VALUE,
    Batch,
    FileRefused,
    Table,
    header_names,
    no_faulty,
    none_set_aside,
)
from flows.ingest.readers.limits import COLUMNS, LINE_BYTES, RAGGED_BYTES, WIDE, MiB
from flows.ingest.readers.row_kinds import NOTE, RowKinds

BLOCK_BYTES = LINE_BYTES
# Python's csv module has a limit of its own, of 128 KB a field.
csv.field_size_limit(LINE_BYTES)


class RecordStream:
    """Records of one delimited stream as Arrow batches, numbered; those of another length collect in ``ragged``.

    Arrow numbers the records it rejects, blank lines not counted, and hands over the rest in order: the numbers of the
    good ones are those in between.
    """

    def __init__(self, stream: BinaryIO, columns: int, first_row: int, block_bytes: int, **dialect: object) -> None:
        self._ragged: list[tuple[int, str]] = []
        self._columns = columns
        self._ragged_bytes = 0
        self._next = first_row
        self._offset = first_row - 1
        names = [str(position) for position in range(columns)]
        self._reader = pa.csv.open_csv(
            stream,
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=block_bytes),
            parse_options=pa.csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=True, invalid_row_handler=self._keep, **dialect
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    def _keep(self, record: pa.csv.InvalidRow) -> str:
        self._ragged_bytes += len(record.text) + record.actual_columns
        if self._ragged_bytes <= RAGGED_BYTES:
            self._ragged.append((record.number + self._offset, record.text))
        return "skip"

    def __iter__(self) -> Iterator[tuple[pl.DataFrame, list[tuple[int, str]]]]:
        """Frames of text columns ``0``, ``1``, … with ``ROW``, and the ragged records seen up to their end."""
        for arrow in self._reader:
            self._refuse_overrun()
            frame = pl.from_arrow(arrow)
            assert isinstance(frame, pl.DataFrame)  # noqa: S101 (a record batch never becomes a series)
            yield self._number(frame), self._take_ragged()
        self._refuse_overrun()
        if self._ragged:
            nothing = pl.DataFrame(schema=dict.fromkeys(self._reader.schema.names, pl.String))
            yield self._number(nothing), self._take_ragged()

    def _refuse_overrun(self) -> None:
        if self._ragged_bytes > RAGGED_BYTES:
            raise FileRefused(
                f"Expected {self._columns} fields in a record, as in the header, found {len(self._ragged):,} "
                f"records and more close together with another number, from row {self._ragged[0][0]:,} on. Check "
                "`csv.delimiter` and `header_row`, or export the file again."
            )

    def _take_ragged(self) -> list[tuple[int, str]]:
        """Ragged records before the next number; those read ahead wait."""
        ready = [record for record in self._ragged if record[0] < self._next]
        self._ragged = [record for record in self._ragged if record[0] >= self._next]
        self._ragged_bytes = sum(len(text) for _, text in self._ragged)
        return ready

    def _number(self, frame: pl.DataFrame) -> pl.DataFrame:
        ragged = {number for number, _ in self._ragged}
        rows = pl.int_range(self._next, self._next + frame.height + len(ragged), dtype=pl.Int64, eager=True)
        if ragged:
            rows = rows.filter(~rows.is_in(sorted(ragged)))
        rows = rows.head(frame.height)
        self._next = int(rows[-1]) + 1 if frame.height else self._next
        while self._next in ragged:
            self._next += 1
        return frame.with_columns(rows.alias(ROW))


def open_delimited(
    path: Path,
    *,
    declared_encoding: str = "auto",
    delimiter: str = ",",
    quote: str = '"',
    header_row: int = 1,
    block_bytes: int = BLOCK_BYTES,
) -> Table:
    """Open a CSV file and read its header.

    Raises:
        FileRefused: the file is empty, cannot be decoded, or leaves a quotation open.
    """
    codec = encoding.detect(path, declared_encoding)
    line = encoding.unclosed_quote(path, codec, delimiter, quote)
    if line is not None:
        raise FileRefused(
            f"Line {line}: a quotation mark ({quote}) is opened and never closed, so the rows after it cannot be told "
            "apart. Close it, or double it if it belongs to the text."
        )
    with encoding.open_utf8(path, codec) as stream:
        cells = _read_header(stream, header_row, delimiter, quote)
    columns, repeated = header_names(cells)
    if len(columns) > WIDE:
        block_bytes = min(block_bytes, BLOCK_BYTES // 4)
    read = partial(_read, path, codec, columns, delimiter, quote, header_row, block_bytes)
    return Table(columns=columns, repeated=repeated, read=read, dialect=f"{codec}, {delimiter!r}")


def _read_header(stream: BinaryIO, header_row: int, delimiter: str, quote: str) -> list[str]:
    """The cells of the header; the stream then stands at the first record after it."""
    lines = (line.decode("utf-8", "replace") for line in iter(partial(_line, stream), b""))
    cells: list[str] = []
    try:
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
        for _ in range(header_row):
            cells = next(reader)
    except StopIteration:
        raise FileRefused(f"Expected a header in row {header_row}, found the end of the file.") from None
    except csv.Error as error:
        raise FileRefused(f"Expected a header in row {header_row}, found something else ({error}).") from error
    if not any(cell.strip() for cell in cells):
        raise FileRefused(f"Expected a header in row {header_row}, found an empty row. Check `header_row`.")
    if len(cells) > COLUMNS:
        raise FileRefused(
            f"Expected at most {COLUMNS:,} columns, found {len(cells):,} in row {header_row}. Check the line ends and "
            "`csv.delimiter`."
        )
    return cells


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(LINE_BYTES)
    if len(line) == LINE_BYTES:
        raise FileRefused(
            f"Expected lines of less than {LINE_BYTES // MiB} MB, found a longer one. Check the line ends."
        )
    return line


def _read(
    path: Path, codec: str, columns: tuple[str, ...], delimiter: str, quote: str, header_row: int, block_bytes: int
) -> Iterator[Batch]:
    with encoding.open_utf8(path, codec) as stream:
        _read_header(stream, header_row, delimiter, quote)
        if not stream.peek(1):  # type: ignore[attr-defined]
            return
        try:
            records = RecordStream(
                stream, len(columns), header_row + 1, block_bytes, delimiter=delimiter, quote_char=quote
            )
            footer = _Footer(columns)
            for frame, ragged in records:
                faulty = _faulty(ragged, columns, delimiter, quote)
                aside = footer.told_apart(faulty)
                yield Batch(
                    frame.rename({str(at): name for at, name in enumerate(columns)}),
                    faulty.filter(~faulty[ROW].is_in(aside[ROW].implode())) if aside.height else faulty,
                    aside,
                )
        except pa.ArrowInvalid as error:
            raise FileRefused(_explain(error, block_bytes)) from error


class _Footer:
    """Lines below the records of a report, as Salesforce writes them: its grand totals, its name, who may read it.

    Each is one field alone. The first is known by its words; what follows it without a gap belongs to it.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._kinds = RowKinds([columns], frozenset())
        self._last: int | None = None

    def told_apart(self, faulty: pl.DataFrame) -> pl.DataFrame:
        """Those of the ragged records that are such lines: ``ROW``, ``REASON``, ``RAW``."""
        first, rest = self._columns[0], len(self._columns) - 1
        if faulty.is_empty() or rest < 2:  # of two columns, one field alone is half a record
            return none_set_aside()
        found = []
        alone = faulty.filter(pl.col(VALUE).str.starts_with("1 instead of "))
        for row, text, raw in alone.select(ROW, first, RAW).iter_rows():
            kind = self._kinds.kind([text or "", *[""] * rest], faulty=False, across=0)
            if kind or self._last == row - 1:
                found.append((row, kind or NOTE, raw))
                self._last = row
        return pl.DataFrame(found, schema=none_set_aside().schema, orient="row")


def _explain(error: pa.ArrowInvalid, block_bytes: int) -> str:
    if "straddling" in str(error):
        return (
            f"Expected records of less than {block_bytes >> 20} MB, found a longer one: most likely a quotation mark "
            "that is opened and never closed."
        )
    return f"Expected CSV, found something else ({error})."


def _faulty(ragged: list[tuple[int, str]], columns: tuple[str, ...], delimiter: str, quote: str) -> pl.DataFrame:
    """Ragged records with the fields that can be told, from the left, under the names of the header."""
    if not ragged:
        return no_faulty()
    records = []
    for row, text in ragged:
        fields = next(csv.reader([text], delimiter=delimiter, quotechar=quote), [])
        named = dict(zip(columns, fields, strict=False))
        beyond = {"(beyond the header)": fields[len(columns) :]} if len(fields) > len(columns) else {}
        raw = json.dumps({**named, **beyond}, ensure_ascii=False)
        found = f"{len(fields)} instead of {len(columns)} fields"
        records.append({**named, ROW: row, REASON: "ragged_row", VALUE: found, RAW: raw})
    schema = {**dict.fromkeys(columns, pl.String), ROW: pl.Int64, REASON: pl.String, VALUE: pl.String, RAW: pl.String}
    return pl.DataFrame(records, schema=schema)
