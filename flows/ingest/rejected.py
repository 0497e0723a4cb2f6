"""Quarantine records of one file: cell, reason, key and the whole source row; and how they are stored."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.landing import LandedFile
from flows.ingest.readers.batch import RAW, ROW
from flows.ingest.reasons import with_sentences

SCHEMA: dict[str, pl.DataType] = {
    "as_of_date": pl.Date(),
    "source": pl.String(),
    "entity": pl.String(),
    "file": pl.String(),
    "sheet": pl.String(),
    "row": pl.Int64(),
    "column": pl.String(),
    "value": pl.String(),
    "reason_code": pl.String(),
    "reason_en": pl.String(),
    "reason_zh": pl.String(),
    "key": pl.String(),
    "raw": pl.String(),
    "candidates": pl.String(),
}
"""Columns of the quarantine: one row per faulty cell; ``column`` is null where the whole row or file is meant.

``candidates`` is JSON, of an ambiguous name: ``{"known": [{"id": …, "name": …}, …], "more": 2}``.
"""


def quarantine_records(failures: pl.DataFrame, file: LandedFile, sheet: str | None, as_of: date) -> pl.DataFrame:
    """Records in the form of ``SCHEMA``.

    Args:
        failures: one row a faulty cell: ``ROW``, ``column``, ``value``, ``reason_code``, ``key``, ``RAW`` and perhaps
            ``candidates``.
        file: the file they come from.
        sheet: its sheet, for workbooks.
        as_of: date of the night.
    """
    place = failures.with_columns(
        as_of_date=pl.lit(as_of),
        source=pl.lit(file.source),
        entity=pl.lit(file.entity),
        file=pl.lit(file.name),
        sheet=pl.lit(sheet, dtype=pl.String),
        candidates=pl.col("candidates") if "candidates" in failures.columns else pl.lit(None, dtype=pl.String),
    ).rename({ROW: "row", RAW: "raw"})
    return with_sentences(place).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def key_json(frame: pl.DataFrame, key: tuple[str, ...]) -> pl.Series:
    """The key as JSON text, all its values as text: dates ``2024-03-31``, moments ``2024-03-31 09:30:00.000000``.

    Null where a part of the key could not be read.
    """
    parts = [
        pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
        if frame.schema[name] == pl.Datetime
        else pl.col(name).cast(pl.String)
        for name in key
    ]
    readable = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    return frame.select(pl.when(readable).then(pl.struct(parts).struct.json_encode()).alias("key")).to_series()


def raw_json(rows: pl.DataFrame) -> pl.Series:
    """The source rows as JSON text."""
    columns = [name for name, dtype in rows.schema.items() if name != ROW and dtype != pl.Binary]
    if not columns:
        return pl.repeat("{}", rows.height, dtype=pl.String, eager=True).alias(RAW)
    return rows.select(pl.struct(columns).struct.json_encode().alias(RAW)).to_series()


class ParquetSink:
    """A Parquet file written batch by batch, with a fixed schema."""

    def __init__(self, path: Path, schema: dict[str, pl.DataType], distinct: Sequence[str] = ()) -> None:
        # Trying a dictionary on columns that hardly repeat takes twice the time of writing them.
        dictionary = [name for name, dtype in schema.items() if dtype == pl.String and name not in distinct]
        arrow = _arrow(pl.DataFrame(schema=schema)).schema
        # The file lives for one night: what compresses further takes longer to write than it saves to read.
        self._writer = pq.ParquetWriter(
            path, arrow, compression="snappy", use_dictionary=dictionary or False, write_statistics=False
        )
        self.rows = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Append a frame that has exactly the columns of the schema."""
        if frame.height:
            self._writer.write_table(_arrow(frame))
            self.rows += frame.height

    def close(self) -> None:
        """Finish the file; one without rows still has its columns."""
        self._writer.close()


@contextmanager
def parquet_sink(path: Path, schema: dict[str, pl.DataType], distinct: Sequence[str] = ()) -> Iterator[ParquetSink]:
    """A file that appears under its name when it is complete, and not at all after an error.

    ``distinct`` names text columns whose values hardly repeat.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    sink = ParquetSink(part, schema, distinct)
    try:
        yield sink
    except BaseException:
        sink.close()
        part.unlink()
        raise
    sink.close()
    part.replace(path)


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())
