"""Parquet: typed columns in batches."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.readers.batch import ROW, Batch, FileRefused, Table, header_names, no_faulty

BATCH_ROWS = 1 << 17


def open_parquet(path: Path, *, batch_rows: int = BATCH_ROWS) -> Table:
    """Open a Parquet file; its first record is row 1.

    Raises:
        FileRefused: it is not a Parquet file, or a damaged one.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
    except (pa.ArrowException, OSError) as error:
        raise FileRefused(f"Expected a Parquet file, found something else or a damaged one ({error}).") from error
    columns, repeated = header_names(names)
    return Table(columns=columns, repeated=repeated, read=partial(_read, path, columns, batch_rows))


def _read(path: Path, columns: tuple[str, ...], batch_rows: int) -> Iterator[Batch]:
    first = 1
    try:
        with pq.ParquetFile(path) as file:
            for arrow in file.iter_batches(batch_size=batch_rows):
                frame = pl.DataFrame([_series(name, arrow.column(at)) for at, name in enumerate(columns)])
                rows = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True).alias(ROW)
                first += frame.height
                yield Batch(frame.with_columns(rows), no_faulty())
    except (pa.ArrowException, OSError) as error:
        raise FileRefused(f"Expected a whole Parquet file, found a damaged one ({error}).", rows=first - 1) from error


def _series(name: str, array: pa.Array) -> pl.Series:
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)  # noqa: S101 (an array never becomes a frame)
    return series.alias(name)
