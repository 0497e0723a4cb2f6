"""Sheets written for a test, and what is read from them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

from flows.ingest.headers import header_key
from flows.ingest.readers.batch import RAW, REASON, ROW, VALUE
from flows.ingest.readers.workbook import TablePlace, find_tables, open_workbook

Rows = Sequence[Sequence[Any]]


def write_sheets(path: Path, sheets: Mapping[str, Rows], merged: Sequence[str] = (), **options: Any) -> Path:
    """A workbook of typed cells; None is blank; ranges are merged on the first sheet, keeping their first cell."""
    with xlsxwriter.Workbook(path, options) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, (name, rows) in enumerate(sheets.items()):
            page = book.add_worksheet(name)
            for top, row in enumerate(rows):
                for left, value in enumerate(row):
                    if isinstance(value, (date, datetime)):
                        page.write_datetime(top, left, value, day)
                    elif value is not None:
                        page.write(top, left, value)
            for cells in merged if at == 0 else ():
                top, left = xl_cell_to_rowcol(cells.partition(":")[0])
                page.merge_range(cells, rows[top][left])
    return path


def known(*headers: str) -> frozenset[str]:
    """Keys of headers."""
    return frozenset(map(header_key, headers))


class Read:
    """One table, read whole.

    Attributes:
        records: cells by header name, by row number.
        set_aside: reason and cells by row number.
        cell_faults: (row, column, reason, value).
    """

    def __init__(self, path: Path, place: TablePlace, **options: Any) -> None:
        batches = list(open_workbook(path, place, **options).read())
        rows = [row for batch in batches for row in batch.rows.to_dicts()]
        self.records = {row.pop(ROW): row for row in rows}
        kept = [row for batch in batches for row in batch.set_aside.to_dicts()]
        self.set_aside = {row[ROW]: (row[REASON], json.loads(row[RAW])) for row in kept}
        faults = [row for batch in batches for row in batch.cell_faults.to_dicts()]
        self.cell_faults = [(row[ROW], row["column"], row["reason_code"], row[VALUE]) for row in faults]
        assert len(rows) == len(self.records)
        assert not self.records.keys() & self.set_aside.keys()

    def reasons(self) -> dict[int, str]:
        """Reason by row number."""
        return {row: reason for row, (reason, _) in self.set_aside.items()}

    def column(self, name: str) -> dict[int, Any]:
        """One column by row number."""
        return {row: cells[name] for row, cells in self.records.items()}


def read_all(path: Path, headers: frozenset[str], **options: Any) -> list[tuple[TablePlace, Read]]:
    """Every table of a workbook."""
    options = {"sheet": "*", **options}
    return [(place, Read(path, place)) for place in find_tables(path, known=headers, **options)]
