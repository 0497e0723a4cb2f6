"""What every reader yields: bounded batches of raw rows, and apart from them what could not be read as rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import polars as pl

from flows.ingest.headers import header_name
from flows.ingest.readers.names import (
    NAMELESS,
    RAW,
    REASON,
    ROW,
    VALUE,
    FileRefused,
    header_names,
)

__all__ = [
    "NAMELESS",
    "RAW",
    "REASON",
    "ROW",
    "VALUE",
    "Batch",
    "FileRefused",
    "Table",
    "header_name",
    "header_names",
    "no_cell_faults",
    "no_faulty",
    "none_covered",
    "none_set_aside",
]


def no_faulty() -> pl.DataFrame:
    """The faulty records of a batch that has none."""
    return pl.DataFrame(schema={ROW: pl.Int64, REASON: pl.String, VALUE: pl.String, RAW: pl.String})


def none_set_aside() -> pl.DataFrame:
    """The rows set aside of a batch that has none."""
    return pl.DataFrame(schema={ROW: pl.Int64, REASON: pl.String, RAW: pl.String})


def no_cell_faults() -> pl.DataFrame:
    """The cells without a value of a batch that has none."""
    return pl.DataFrame(schema={ROW: pl.Int64, "column": pl.String, "reason_code": pl.String, VALUE: pl.String})


def none_covered() -> pl.DataFrame:
    """The cells of a batch that repeat one above them, where none do."""
    return pl.DataFrame(schema={ROW: pl.Int64, "column": pl.String, "top": pl.Int64})


@dataclass(frozen=True)
class Batch:
    """Some consecutive records of a file.

    Attributes:
        rows: the raw columns by header name, and ``ROW``.
        faulty: records that are not rows of this table: ``ROW``, ``REASON``, ``VALUE``, ``RAW`` and those raw columns
            that could be read, as text.
        set_aside: rows of a sheet that are no records, counted apart and kept: ``ROW``, ``REASON`` (total_row,
            repeated_header, note_row, blank_row, hidden_row), ``RAW`` (JSON of the cells by header name).
        cell_faults: cells of ``rows`` that hold no value though one was meant: ``ROW``, ``column`` (header name),
            ``reason_code`` (formula_not_computed, cell_error), ``VALUE`` (the formula or the error).
        covered: cells of ``rows`` that have their value from a cell above, which is merged over them: ``ROW``,
            ``column`` (header name), ``top`` (the row of that cell).
    """

    rows: pl.DataFrame
    faulty: pl.DataFrame
    set_aside: pl.DataFrame = field(default_factory=none_set_aside)
    cell_faults: pl.DataFrame = field(default_factory=no_cell_faults)
    covered: pl.DataFrame = field(default_factory=none_covered)


@dataclass(frozen=True)
class Table:
    """A file that has been opened: its header is known, its records are not read yet.

    Attributes:
        columns: header names in order, normalised and unique.
        repeated: header names that occur more than once.
        read: starts reading from the first record; may be called again.
        sheet: name of the sheet, for workbooks.
        date_1904: whether the serial numbers of this workbook count days from 1904 and not from 1900.
        dialect: encoding and delimiter of a text file, as they were found.
    """

    columns: tuple[str, ...]
    repeated: frozenset[str]
    read: Callable[[], Iterator[Batch]]
    sheet: str | None = None
    date_1904: bool = False
    dialect: str | None = None

    def count(self) -> int:
        """Number of records, by reading all of them; rows set aside are none."""
        return sum(batch.rows.height + batch.faulty.height for batch in self.read())
