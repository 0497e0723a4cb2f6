"""Rows of a sheet that are no records: totals, repeated headers, notes. They are counted apart, and kept."""

from datetime import date

import polars as pl

from flows.ingest.landing import LandedFile
from flows.ingest.readers.names import RAW, REASON, ROW
from flows.ingest.reasons import with_sentences

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
