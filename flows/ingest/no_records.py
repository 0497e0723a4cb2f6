"""Rows of a sheet that are no records: totals, repeated headers, notes. They are counted apart, and kept."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import polars as pl

from flows.ingest.landing import LandedFile
from flows.ingest.readers.batch import Batch, Table
from flows.ingest.readers.names import NAMELESS, RAW, REASON, ROW
from flows.ingest.readers.row_kinds import RowKinds
from flows.ingest.reasons import with_sentences
from flows.ingest.rejected import raw_json

SCHEMA: dict[str, pl.DataType] = {
    "as_of_date": pl.Date(),
    "source": pl.String(),
    "entity": pl.String(),
    "file": pl.String(),
    "sheet": pl.String(),
    "row": pl.Int64(),
    "reason_code": pl.String(),
    "reason_en": pl.String(),
    "reason_zh": pl.String(),
    "raw": pl.String(),
}
"""Columns of ``build/set_aside/<file_id>.parquet``: one row per row set aside; ``raw`` is JSON of its cells."""


def set_aside_records(rows: pl.DataFrame, file: LandedFile, sheet: str | None, as_of: date) -> pl.DataFrame:
    """Rows set aside (``ROW``, ``REASON``, ``RAW``) in the form of ``SCHEMA``."""
    place = rows.with_columns(
        as_of_date=pl.lit(as_of),
        source=pl.lit(file.source),
        entity=pl.lit(file.entity),
        file=pl.lit(file.name),
        sheet=pl.lit(sheet, dtype=pl.String),
    ).rename({ROW: "row", REASON: "reason_code", RAW: "raw"})
    return with_sentences(place).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def as_sheet(table: Table) -> Table:
    """A text file that people keep: its totals, repeated headers and notes are told as those of a workbook are.

    Row by row: such a file is as long as people can keep by hand.
    """
    nameless = frozenset(at for at, name in enumerate(table.columns) if name.startswith(NAMELESS))
    kinds = RowKinds([table.columns], nameless)

    def read() -> Iterator[Batch]:
        for batch in table.read():
            cells = batch.rows.select(table.columns).fill_null("")
            told = pl.Series([kinds.kind(row, faulty=False, across=0) for row in cells.iter_rows()], dtype=pl.String)
            others = batch.rows.filter(told.is_not_null())
            aside = pl.DataFrame([others[ROW], told.drop_nulls().alias(REASON), raw_json(others)])
            yield replace(batch, rows=batch.rows.filter(told.is_null()), set_aside=pl.concat([batch.set_aside, aside]))

    return replace(table, read=read)
