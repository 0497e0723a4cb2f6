"""Workbooks (xlsx, xlsm, xls): the tables that people keep on their sheets, found and read in the sandbox."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import polars as pl

from flows.config.sources import Source
from flows.ingest.headers import header_key, template_keys
from flows.ingest.readers.batch import (
    ROW,
    Batch,
    FileRefused,
    Table,
    no_cell_faults,
    no_faulty,
    none_covered,
    none_set_aside,
)
from flows.ingest.readers.bounded import parsed
from flows.ingest.readers.limits import BATCH_ROWS, BOUNDS, Bounds

Hidden = Literal["read", "set_aside"]


@dataclass(frozen=True)
class TablePlace:
    """Where a table stands in a workbook; rows and columns are counted from 1, as a person sees them.

    Attributes:
        sheet: name of the sheet.
        header_row: first row of the header.
        header_rows: how many rows the header has.
        first_column, last_column: its columns.
        last_row: its last row; totals and notes under the table are within.
        columns: header names in order, normalised and unique.
        repeated: header names that occur more than once.
        hidden: whether hidden rows and columns are read or set aside.
        hidden_columns: columns that are left out of ``columns``, since they are hidden and set aside.
        date_1904: whether serial numbers of the workbook count days from 1904.
        unit: what a note right above the header says of the unit of its amounts, such as ``(万元)``.
    """

    sheet: str
    header_row: int
    header_rows: int
    first_column: int
    last_column: int
    last_row: int
    columns: tuple[str, ...]
    repeated: tuple[str, ...] = ()
    hidden: Hidden = "read"
    hidden_columns: tuple[int, ...] = ()
    date_1904: bool = False
    unit: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The place whose fields were written as JSON."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
        return cls(**values)

    @property
    def cell(self) -> str:
        """The cell in which the header begins, such as ``A3``."""
        letters, number = "", self.first_column
        while number:
            number, letter = divmod(number - 1, 26)
            letters = chr(65 + letter) + letters
        return f"{letters}{self.header_row}"


@dataclass(frozen=True)
class Unrecognised:
    """Data on a sheet in which no known header was found.

    Attributes:
        sheet: name of the sheet.
        first_row: where it begins.
        rows: rows that are not blank.
        cells: its first row, as text.
        filled: cells of all its rows that hold something.
    """

    sheet: str
    first_row: int
    rows: int
    cells: tuple[str, ...]
    filled: int = 0


@dataclass(frozen=True)
class Survey:
    """What a workbook holds: the tables that were found, and data that belongs to none of them."""

    tables: tuple[TablePlace, ...]
    unrecognised: tuple[Unrecognised, ...]


def survey(
    path: Path,
    *,
    sheet: str | None = None,
    known: frozenset[str] = frozenset(),
    header_row: int | None = None,
    hidden: Hidden = "read",
    bounds: Bounds = BOUNDS,
) -> Survey:
    """Look through a workbook for tables.

    Args:
        path: the workbook.
        sheet: None is the first sheet that is not hidden, ``*`` all of them, else the one of that name.
        known: keys (``header_key``) of the headers that are looked for; without any, the first row that looks like a
            header is taken for one.
        header_row: where the header stands, if somebody has said so.
        hidden: whether hidden rows and columns are read or set aside.
        bounds: what parsing may take.

    Raises:
        FileRefused: it is no workbook, cannot be read within its bounds, or lacks the sheet or header that was named.
    """
    arguments = {"sheet": sheet, "known": sorted(known), "header_row": header_row, "hidden": hidden}
    with parsed("survey", path, arguments, bounds) as outcome:
        return Survey(
            tables=tuple(TablePlace.of(fields) for fields in outcome.result["tables"]),
            unrecognised=tuple(
                Unrecognised(**{**fields, "cells": tuple(fields["cells"])}) for fields in outcome.result["unrecognised"]
            ),
        )


def find_tables(
    path: Path,
    *,
    sheet: str | None,
    known: frozenset[str],
    header_row: int | None = None,
    hidden: Hidden = "read",
) -> list[TablePlace]:
    """Every table of the workbook whose header row holds known headers; see ``survey``."""
    return list(survey(path, sheet=sheet, known=known, header_row=header_row, hidden=hidden).tables)


def open_workbook(path: Path, place: TablePlace, *, batch_rows: int = BATCH_ROWS, bounds: Bounds = BOUNDS) -> Table:
    """Open one table of a workbook; row numbers are those the spreadsheet program shows. Blank rows are no records.

    Raises:
        FileRefused: on reading; the workbook cannot be read within its bounds.
    """
    return Table(
        columns=place.columns,
        repeated=frozenset(place.repeated),
        read=partial(_read, path, place, batch_rows, bounds),
        sheet=place.sheet,
        date_1904=place.date_1904,
    )


def open_source_table(path: Path, source: Source) -> Table:
    """Open the first table that holds the mapped columns of a source.

    Raises:
        FileRefused: the workbook cannot be read, or has no table at all where one is looked for.
    """
    known = mapped_keys(source)
    found = find_tables(path, sheet=source.sheet, known=known, header_row=source.header_row, hidden=source.hidden)
    # None holds the mapped columns: what looks like a header is opened, so that the refusal can say what was found.
    found = found or find_tables(path, sheet=source.sheet, known=frozenset(), hidden=source.hidden)
    if not found:
        where = {None: "the first sheet", "*": "any sheet"}.get(source.sheet, f"sheet {source.sheet!r}")
        raise FileRefused(f"Expected a table on {where}, found only blank cells. Check `sheet` in sources.yaml.")
    return open_workbook(path, found[0])


def mapped_keys(source: Source) -> frozenset[str]:
    """Keys of the headers that mark a row as the header of a source's table."""
    if source.template:
        return template_keys()
    columns = [*source.columns.values(), *([source.deleted] if source.deleted else [])]
    return frozenset(header_key(name) for column in columns for name in column.source_columns) - {""}


def _read(path: Path, place: TablePlace, batch_rows: int, bounds: Bounds) -> Iterator[Batch]:
    with parsed("read", path, {"place": asdict(place), "batch_rows": batch_rows}, bounds) as outcome:
        nothing = pl.DataFrame(schema={**dict.fromkeys(place.columns, pl.String), ROW: pl.Int64})
        for number in range(outcome.result["batches"]):
            stem = outcome.folder / f"{number:06d}"
            yield Batch(
                rows=_taken(stem.with_suffix(".rows"), nothing),
                faulty=no_faulty(),
                set_aside=_taken(stem.with_suffix(".set_aside"), none_set_aside()),
                cell_faults=_taken(stem.with_suffix(".cell_faults"), no_cell_faults()),
                covered=_taken(stem.with_suffix(".covered"), none_covered()),
            )


def _taken(path: Path, nothing: pl.DataFrame) -> pl.DataFrame:
    """A frame that the sandbox wrote; its file is removed at once."""
    if not path.exists():
        return nothing
    frame = pl.read_ipc(path)
    path.unlink()
    return frame
