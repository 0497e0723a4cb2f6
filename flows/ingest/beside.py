"""What lies in a workbook beside its tables: a note that people keep there, or a table that somebody meant to be read.

People keep instructions, summaries and pivot tables beside their sheets. Those are told, with their size, and change
nothing. What looks like records under the header of a template, misspelt or incomplete, is refused instead: it may be
contracts that nobody would miss until they are missing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import polars as pl

from flows.ingest.headers import columns_by_key, header_key
from flows.ingest.noticed import Said
from flows.ingest.readers.batch import NAMELESS, RAW, ROW, Table
from flows.ingest.readers.workbook import Unrecognised
from schemas import TEMPLATES

_HEADERS = {"customer_record": 12, "stage_progress": 8, "requirement": 8, "contract": 9}
"""Headers of each template as it is handed out; the columns that are known besides are additions."""
_FEWEST = 3
"""Two headers of a template stand on many a summary: customers and how many, owners and how much."""
_ALIKE = 0.75
"""Share of characters in common from which a header is a known one misspelt: 客户名秤, 合同编号码."""
_SHOWN = 20


@dataclass(frozen=True)
class Left:
    """A part of a workbook that is no table of a template.

    Attributes:
        sheet: name of the sheet.
        row: where it begins.
        headers: its first row.
        cells: cells that hold something, the header's among them.
        filled: for each record under the header how many of its cells hold something.
    """

    sheet: str
    row: int
    headers: tuple[str, ...]
    cells: int
    filled: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Records under the header."""
        return len(self.filled)


def left(table: Table, row: int) -> Left:
    """What a table that is not to be read holds."""
    headers = tuple(name for name in table.columns if not name.startswith(NAMELESS))
    cells, filled = len(headers), []
    for batch in table.read():
        columns = [name for name in batch.rows.columns if name != ROW]
        counts = batch.rows.select(
            pl.sum_horizontal((pl.col(name).cast(pl.String, strict=False).fill_null("") != "") for name in columns)
        ).to_series()
        filled += [*counts.to_list(), *[len(headers)] * batch.faulty.height]
        noted = sum(value not in (None, "") for raw in batch.set_aside[RAW] for value in json.loads(raw).values())
        # A cell under a merged one repeats it; a formula without a value is a cell all the same.
        cells += sum(counts) + noted + batch.cell_faults.height - batch.covered.height
    return Left(table.sheet or "", row, headers, cells, tuple(filled))


def left_of(unknown: Unrecognised) -> Left:
    """What a sheet without a known header holds; its rows are taken to fill whatever columns they have."""
    width = len(unknown.cells)
    return Left(unknown.sheet, unknown.first_row, unknown.cells, unknown.filled, (width,) * (unknown.rows - 1))


def is_meant(part: Left) -> bool:
    """Whether somebody meant this to be read as a template.

    That is where three or more of its headers are known ones of one template, or such misspelt, and are half of that
    template's headers or half of its own; and where a record under it fills half of them.
    """
    known = {entity: _known(part.headers, entity) for entity in TEMPLATES}
    meant = [
        number
        for entity, number in known.items()
        if number >= _FEWEST and 2 * number >= min(_HEADERS[entity], len(part.headers))
    ]
    return bool(meant) and any(2 * cells >= min(meant) for cells in part.filled)


def told(parts: Sequence[Left]) -> Said | None:
    """What is said of the parts that are not read; None where there are none."""
    if not parts:
        return None
    en = [f"{part.sheet!r} from row {part.row} ({part.cells:,} cells)" for part in parts[:_SHOWN]]
    zh = [f"“{part.sheet}”第 {part.row} 行起（{part.cells:,} 个单元格）" for part in parts[:_SHOWN]]
    if hidden := parts[_SHOWN:]:
        cells = sum(part.cells for part in hidden)
        en.append(f"{len(hidden)} more ({cells:,} cells)")
        zh.append(f"另有 {len(hidden)} 处（{cells:,} 个单元格）")
    return Said(
        f"not read, since no table of a template is there: {', '.join(en)}",
        f"以下内容不是模板中的表，未读取：{'、'.join(zh)}",
    )


def _known(headers: Sequence[str], entity: str) -> int:
    """How many columns of a template the headers name, rightly or nearly."""
    by_key = columns_by_key(entity)
    columns = set()
    for header in headers:
        key = header_key(header)
        if key in by_key:
            columns.add(by_key[key])
        else:
            columns.update(by_key[near] for near in _near(key, entity))
    return len(columns)


def _near(key: str, entity: str) -> tuple[str, ...]:
    """The known header that is most like a key, where one is like it."""
    candidates = (
        known
        for known in columns_by_key(entity)
        if key and 2 * min(len(key), len(known)) >= _ALIKE * (len(key) + len(known))
    )
    ranked = [(SequenceMatcher(a=key, b=known, autojunk=False).ratio(), known) for known in candidates]
    return tuple(known for likeness, known in [max(ranked)] if likeness >= _ALIKE) if ranked else ()
