"""Rows that were accepted at first and are quarantined after all: once they are seen together with all others."""

from collections.abc import Iterator

import polars as pl
import pyarrow.parquet as pq

from flows.ingest.border import Border, raw_rows
from flows.ingest.readers.batch import RAW, ROW
from flows.ingest.rejected import SCHEMA, parquet_sink, quarantine_records

_BATCH_ROWS = 1 << 17


def batches(border: Border) -> Iterator[pl.DataFrame]:
    """The accepted rows of a file, some at a time."""
    with pq.ParquetFile(border.accepted) as file:
        for arrow in file.iter_batches(batch_size=_BATCH_ROWS):
            yield _frame(arrow)


def add_to_rejected(border: Border, failures: pl.DataFrame) -> None:
    """Append quarantine records; their source rows are read once more.

    Args:
        border: the file.
        failures: one row a faulty cell: ``ROW``, ``column``, ``value``, ``reason_code``, ``key`` and perhaps
            ``candidates``.
    """
    if failures.is_empty():
        return
    sheet = border.mapping.source.sheet
    with pq.ParquetFile(border.rejected) as before, parquet_sink(border.rejected, SCHEMA) as rejected:
        for arrow in before.iter_batches(batch_size=_BATCH_ROWS):
            rejected.write(_frame(arrow))
        for raw in raw_rows(border, failures[ROW].unique()):
            records = failures.join(raw, on=ROW, how="inner", maintain_order="right")
            rejected.write(quarantine_records(records.select(*failures.columns, RAW), border.file, sheet, border.as_of))


def rewrite(border: Border, frames: Iterator[pl.DataFrame]) -> None:
    """Write the accepted file again. The old one is still there while ``frames`` are read from it."""
    with parquet_sink(border.accepted, border.accepted_schema, border.entity.key()) as accepted:
        for frame in frames:
            accepted.write(frame)


def _frame(arrow: object) -> pl.DataFrame:
    frame = pl.from_arrow(arrow)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 (a record batch never becomes a series)
    return frame
