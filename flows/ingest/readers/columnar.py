"""Parquet: typed columns in batches."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.readers.batch import ROW, Batch, FileRefused, Table, header_names, no_faulty
from flows.ingest.readers.limits import (
    COLUMNS,
    PARQUET_BATCH_BYTES,
    PARQUET_TEXT_BYTES,
    PARQUET_TEXT_RATIO,
    MiB,
)
from flows.ingest.readers.parquet_pages import refuse_bombs

BATCH_ROWS = 1 << 17


def open_parquet(path: Path, *, batch_rows: int = BATCH_ROWS) -> Table:
    """Open a Parquet file; its first record is row 1.

    Raises:
        FileRefused: it is not a Parquet file, or a damaged one.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            footer = file.metadata
        groups = [footer.row_group(at) for at in range(footer.num_row_groups)]
        refuse_bombs(path, footer)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last one by a damaged name of a column
        raise FileRefused(f"Expected a Parquet file, found something else or a damaged one ({error}).") from error
    if len(names) > COLUMNS:
        raise FileRefused(
            f"Expected at most {COLUMNS:,} columns, found {len(names):,}. Export only those that are needed."
        )
    columns, repeated = header_names(names)
    for group in groups:
        share = PARQUET_BATCH_BYTES / max(group.total_byte_size, 1)
        batch_rows = max(1, min(batch_rows, int(share * group.num_rows) + 1)) if group.num_rows else batch_rows
    rows = tuple(group.num_rows for group in groups)
    frames = partial(_by_arrow, path, batch_rows) if repeated else partial(_by_polars, path, rows, batch_rows)
    most_text = max(PARQUET_TEXT_BYTES, PARQUET_TEXT_RATIO * path.stat().st_size)
    return Table(columns=columns, repeated=repeated, read=partial(_read, frames, columns, most_text))


def _read(frames: partial[Iterator[list[pl.Series]]], columns: tuple[str, ...], most_text: int) -> Iterator[Batch]:
    first, text = 1, 0
    try:
        for frame, text_bytes in _bounded(frames(), columns):
            text += text_bytes
            if text > most_text:
                raise FileRefused(
                    f"Expected at most {most_text // MiB} MB of text, found more by row {first:,}: the file repeats "
                    "long texts for next to nothing. Do not use this file; ask whoever wrote it.",
                    rows=first - 1,
                )
            rows = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True).alias(ROW)
            first += frame.height
            yield Batch(frame.with_columns(rows), no_faulty())
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        raise FileRefused(f"Expected a whole Parquet file, found a damaged one ({error}).", rows=first - 1) from error


def _bounded(frames: Iterator[list[pl.Series]], columns: tuple[str, ...]) -> Iterator[tuple[pl.DataFrame, int]]:
    """Frames in pieces whose texts fit in memory, and the bytes of those: polars shares repeated texts, we do not."""
    for series in frames:
        frame = pl.DataFrame([one.alias(name) for name, one in zip(columns, series, strict=True)])
        text = sum(map(_text_bytes, frame.get_columns()))
        pieces = min(-(-text // PARQUET_BATCH_BYTES), frame.height)
        if pieces <= 1:
            yield frame, text
            continue
        for piece in frame.iter_slices(-(-frame.height // pieces)):
            yield piece, text // pieces


def _text_bytes(series: pl.Series) -> int:
    if series.dtype == pl.String:
        lengths = series.str.len_bytes()
    elif series.dtype == pl.Categorical:
        lengths = series.cat.len_bytes()
    else:
        return 0
    # A sum of lengths of 32 bits would itself run over.
    return int(lengths.cast(pl.Int64).sum() or 0)


def _by_polars(path: Path, groups: tuple[int, ...], batch_rows: int) -> Iterator[list[pl.Series]]:
    """Columns of a batch at a time. Three times as fast as by way of Arrow, whose texts polars would have to copy."""
    scan = pl.scan_parquet(path, glob=False, hive_partitioning=False, use_statistics=False)
    offset = 0
    for rows in _batches(groups, batch_rows):
        yield scan.slice(offset, rows).collect().get_columns()
        offset += rows


def _batches(groups: tuple[int, ...], batch_rows: int) -> Iterator[int]:
    """Rows of each batch: small row groups together, large ones in parts; no part of one is decoded for two batches."""
    gathered = 0
    for rows in groups:
        if gathered and gathered + rows > batch_rows:
            yield gathered
            gathered = 0
        for _ in range(rows // batch_rows):
            yield batch_rows
        gathered += rows % batch_rows
    if gathered:
        yield gathered


def _by_arrow(path: Path, batch_rows: int) -> Iterator[list[pl.Series]]:
    """The same for a file that repeats the name of a column, which polars does not read."""
    with pq.ParquetFile(path) as file:
        for arrow in file.iter_batches(batch_size=batch_rows):
            yield [pl.Series(values=column) for column in arrow.columns]
