"""Typed cells of a sheet as Arrow columns, written batch by batch. Runs in the sandbox."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.ingest.readers.limits import BATCH_BYTES, OUTPUT_BYTES, MiB
from flows.ingest.readers.names import RAW, REASON, ROW, VALUE, FileRefused

_WHOLE = 2**53
_MIDNIGHT = time(0)
_OPTIONS = pa.ipc.IpcWriteOptions(use_threads=False)
SET_ASIDE = pa.schema([(ROW, pa.int64()), (REASON, pa.string()), (RAW, pa.string())])
CELL_FAULTS = pa.schema(
    [(ROW, pa.int64()), ("column", pa.string()), ("reason_code", pa.string()), (VALUE, pa.string())]
)

COVERED = pa.schema([(ROW, pa.int64()), ("column", pa.string()), ("top", pa.int64())])


def as_text(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a decimal point, dates in ISO form."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _WHOLE else str(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == _MIDNIGHT else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def column(cells: Sequence[Any]) -> pa.Array:
    """Cells of one kind keep their type; a column of several kinds becomes text, dates in ISO form."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds and kinds <= {int, float}:
        if all(value is None or float(value).is_integer() and abs(value) < _WHOLE for value in values):
            return pa.array([None if value is None else int(value) for value in values], pa.int64())
        return pa.array(values, pa.float64())
    if kinds and kinds <= {date, datetime}:
        moments = [datetime(v.year, v.month, v.day) if type(v) is date else v for v in values]  # noqa: DTZ001 (as typed)
        return pa.array(moments, pa.timestamp("us"))
    return pa.array([None if value is None else as_text(value) for value in values], pa.string())


class BatchWriter:
    """Writes the batches of one table as Arrow files ``000000.rows``, ``.set_aside``, ``.cell_faults``, ``.covered``.

    Args:
        folder: where.
        columns: header names.
    """

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._folder = folder
        self._columns = columns
        self._bytes = 0
        self.count = 0

    def write(
        self,
        rows: list[Sequence[Any]],
        numbers: list[int],
        set_aside: list[tuple[int, str, dict[str, str]]],
        cell_faults: list[tuple[int, str, str, str]],
        covered: list[tuple[int, str, int]],
    ) -> None:
        """Write one batch.

        Args:
            rows: cells by row.
            numbers: their row numbers.
            set_aside: rows that are no records, with reason and cells.
            cell_faults: cells without a value, with reason and formula or error.
            covered: cells that repeat the one above them that is merged over them, with its row.
        """
        if set_aside:
            kept = [(row, reason, json.dumps(cells, ensure_ascii=False)) for row, reason, cells in set_aside]
            self._write("set_aside", _table(kept, SET_ASIDE))
        if rows:
            arrays = [column(cells) for cells in zip(*rows, strict=True)]
            table = pa.table([*arrays, pa.array(numbers, pa.int64())], names=[*self._columns, ROW])
            step = -(-table.num_rows // max(1, -(-table.nbytes // BATCH_BYTES)))
            for at in range(0, table.num_rows, step):
                self._write("rows", table.slice(at, step))
                inside = range(numbers[at], numbers[min(at + step, len(numbers)) - 1] + 1)
                faults = [fault for fault in cell_faults if fault[0] in inside]
                if faults:
                    self._write("cell_faults", _table(faults, CELL_FAULTS))
                repeats = [cell for cell in covered if cell[0] in inside]
                if repeats:
                    self._write("covered", _table(repeats, COVERED))
                self.count += 1
        elif set_aside:
            self.count += 1

    def _write(self, kind: str, table: pa.Table) -> None:
        self._bytes += table.nbytes
        if self._bytes > OUTPUT_BYTES:
            raise FileRefused(
                f"Expected a table of at most {OUTPUT_BYTES // MiB} MB, found a larger one, since merged cells repeat "
                "their text. Unmerge the cells, or export CSV."
            )
        path = self._folder / f"{self.count:06d}.{kind}"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=_OPTIONS) as writer:
            writer.write_table(table)


def _table(records: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*records, strict=True)
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )
