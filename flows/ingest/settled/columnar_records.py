"""The records of a Parquet file by number, each with the engine's hash of all its columns."""
# ruff: noqa: S608 (statements are composed of quoted column names)

import glob
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.readers.batch import ROW, Batch, Table, no_faulty

FIRST_ROW = 1
_BATCH_ROWS = 1 << 14
"""Few enough that the fresh rows of a night are several batches, which are judged at the same time."""
_NUMBER = "file_row_number"
_PLAIN = (pl.String, pl.Boolean, pl.Date, pl.Datetime, pl.Decimal)


@dataclass(frozen=True)
class ColumnarRecords:
    """The records of one file.

    Attributes:
        path: the file.
        whole: the file as its reader has opened it.
        schema: its columns and types.
        count: number of records.
    """

    path: Path
    whole: Table
    schema: pl.Schema
    count: int

    @property
    def shape(self) -> str:
        """What has to be the same for the hashes of two files to be compared."""
        return str(list(self.schema.items()))

    def query(self, connection: duckdb.DuckDBPyConnection) -> str:  # noqa: ARG002 (text has to be registered)
        """All records as a select: ``row_no``, ``record``, the hash, and the columns as ``c0``, ``c1`` and so on."""
        terms = []
        for name, dtype in self.schema.items():
            # The engine takes 0 and -0 for the same number; written out they differ.
            terms += [_quoted(name), f"signbit({_quoted(name)})"] if dtype.is_float() else [_quoted(name)]
        columns = ", ".join(f"{_quoted(name)} as c{at}" for at, name in enumerate(self.schema))
        return (
            f"select {_NUMBER} + {FIRST_ROW} as row_no, hash({', '.join(terms)}) as record, {columns} "
            f"from {_scan(self.path)}"
        )

    def table(self, connection: duckdb.DuckDBPyConnection, rows: str, extract: Path) -> Table:  # noqa: ARG002 (text)
        """Some records as the reader gives them, under their own numbers.

        Args:
            connection: where the select runs.
            rows: a select with ``row_no`` and the columns.
            extract: not needed here.
        """
        columns = ", ".join(f"c{at}" for at in range(len(self.schema)))
        query = f"select {columns}, row_no from ({rows}) order by row_no"
        names = (*self.whole.columns, ROW)

        def read() -> Iterator[Batch]:
            for batch in connection.execute(query).to_arrow_reader(_BATCH_ROWS):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)  # noqa: S101 (a record batch never becomes a series)
                yield Batch(frame.rename(dict(zip(frame.columns, names, strict=True))), no_faulty())

        return replace(self.whole, read=read)


def columnar_records(path: Path, whole: Table, connection: duckdb.DuckDBPyConnection) -> ColumnarRecords | None:
    """Look at a file; None where the engine does not find in it what the reader finds."""
    if glob.has_magic(str(path)):
        return None
    try:
        schema = pl.Schema(pl.read_parquet_schema(path))
        with pq.ParquetFile(path) as file:
            count = file.metadata.num_rows
        names = list(schema)
        if not names or len({name.lower() for name in (*names, _NUMBER)}) <= len(names):
            return None
        connection.execute("set TimeZone = 'UTC'")
        columns = ", ".join(map(_quoted, names))
        found = connection.execute(f"select {columns} from {_scan(path)} limit 0").pl().schema
    except (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException):
        return None
    if found != schema or not all(dtype.is_numeric() or isinstance(dtype, _PLAIN) for dtype in schema.values()):
        return None
    return ColumnarRecords(path, whole, schema, count)


def _scan(path: Path) -> str:
    text = str(path).replace("'", "''")
    return f"read_parquet('{text}', {_NUMBER} = true, hive_partitioning = false)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
