"""One landed file at the border: its mapping, and where its accepted and rejected rows go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.ingest.landing import LandedFile
from flows.ingest.mapping import DELETED, ColumnMapping
from flows.ingest.readers import open_table
from flows.ingest.readers.batch import ROW
from flows.ingest.rejected import raw_json
from schemas.base import Entity


@dataclass(frozen=True)
class Border:
    """One landed file with all that is needed to judge its rows."""

    file: LandedFile
    mapping: ColumnMapping
    as_of: date
    accepted: Path
    rejected: Path
    set_aside: Path

    @property
    def entity(self) -> type[Entity]:
        """The entity that the file fills."""
        return self.mapping.entity

    @property
    def accepted_schema(self) -> dict[str, pl.DataType]:
        """Columns of the accepted rows: the entity's, where each row comes from, and which day it shows."""
        own = {"_source": pl.String(), "_file": pl.String(), "_row": pl.Int64(), "_observed_on": pl.Date()}
        deleted = {DELETED: pl.Boolean()} if self.mapping.source.deleted else {}
        return {**self.mapping.dtypes, **own, **deleted}

    @property
    def observed_on(self) -> date:
        """The day that the file shows."""
        return self.file.observed_on or self.as_of


def raw_rows(border: Border, rows: pl.Series) -> Iterator[pl.DataFrame]:
    """``ROW`` and ``RAW`` of some rows, read from the landed file once more."""
    table = open_table(border.file.path, border.file.format, border.mapping.source, border.file.part)
    for batch in table.read():
        found = batch.rows.filter(pl.col(ROW).is_in(rows.implode()))
        if found.height:
            yield pl.DataFrame([found[ROW], raw_json(found)])
