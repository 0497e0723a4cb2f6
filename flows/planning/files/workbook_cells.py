"""The cells of a planning workbook: sheets and columns found by their headings, each cell read as its column's kind."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from flows.config.yaml_file import Where
from flows.ingest.headers import header_name
from flows.ingest.readers.pages import Cell, SheetCells
from flows.planning.files.sheets import FLAGS, NONE, PLAN, SHEETS, VERSIONS, Column, Kind, Sheet, needed
from flows.planning.files.words import meant, name_key

_ASIDE = "#"
"""A sheet or column whose name begins with this is the reader's own and is not read."""
_DIGITS = 15
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?")
_TRUE = frozenset({"yes", "y", "true", "1", "是", "对", "√"})
_FALSE = frozenset({"no", "n", "false", "0", "否", "错", "×"})
NOTHING = object()


@dataclass
class Row:
    """One row of a sheet: values by field, and where it stands."""

    sheet: str
    number: int
    values: dict[str, Any]
    columns: Mapping[str, str]

    def at(self, name: str | None = None) -> str:
        """As a person finds it."""
        heading = self.columns.get(name or "")
        return f"sheet {self.sheet}, row {self.number}" + (f", column {heading}" if heading else "")


@dataclass
class Reading:
    """What has been read so far: plain data as a plan file holds them, where each stands, and the faults."""

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    cells: dict[Where, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    is_whole: bool = True

    def fault(self, place: str, message: str) -> None:
        """Note what is wrong, and where."""
        self.faults.append(f"{self.path}: {place}: {message}")

    def place(self, where: Where) -> str:
        """Where a part of the plan stands in the workbook."""
        known = where
        while known and known not in self.cells:
            known = known[:-1]
        rest = ".".join(str(part) for part in where[len(known) :])
        return f"{self.path}: {self.cells.get(known, 'workbook')}" + (f": {rest}" if rest else "")

    def put(self, where: Where, row: Row, values: Mapping[str, Any]) -> None:
        """Note where an entry and its fields stand; dotted fields are places of their own."""
        self.cells.setdefault(where, row.at())
        for name in values:
            self.cells.setdefault((*where, *name.split(".")), row.at(name))


def tables_of(reading: Reading, pages: list[SheetCells]) -> dict[str, list[Row]]:
    """The rows of each section; a sheet or column that nobody knows is a fault, so that nothing is lost in silence."""
    known = {name_key(name): sheet for sheet in SHEETS for name in (sheet.zh, sheet.en, sheet.section)}
    tables: dict[str, list[Row]] = {sheet.section: [] for sheet in SHEETS}
    for page in pages:
        if page.name.startswith(_ASIDE) or not (page.rows or page.lost):
            continue
        sheet = known.get(name_key(page.name))
        if sheet is None:
            titles = ", ".join(f"{one.zh}/{one.en}" for one in SHEETS)
            reading.fault(
                f"sheet {page.name}", f"expected one of {titles}; put {_ASIDE} before the name of a sheet of your own"
            )
            continue
        tables[sheet.section] += _rows(reading, sheet, page)
    for sheet in (PLAN, VERSIONS):
        if not tables[sheet.section] and not reading.faults:
            reading.fault(f"sheet {sheet.zh}/{sheet.en}", "expected it to be filled in, found nothing")
    return tables


def _rows(reading: Reading, sheet: Sheet, page: SheetCells) -> Iterator[Row]:
    head = min(page.rows, default=1)
    titles = {number: str(title) for number, title in page.rows.get(head, {}).items()}
    columns = _headed(reading, sheet, f"sheet {page.name}, row {head}", titles)
    headings = {column.field: titles[number] for number, column in columns.items()}
    if _lacks_columns(reading, sheet, f"sheet {page.name}, row {head}", titles, headings):
        return
    for number, position, said in page.lost:
        if position in columns and number != head:
            reading.fault(
                f"sheet {page.name}, row {number}, column {titles[position]}",
                f"expected a value, found {said!r} without one; open the workbook in a spreadsheet program and save it",
            )
    filled = _filled_down(reading, page, head, columns, titles)
    for number, cells in filled.items():
        if number == head:
            continue
        row = Row(page.name, number, {}, headings)
        for position, cell in cells.items():
            if position in columns:
                _read_cell(reading, sheet, row, columns[position], cell)
            elif position not in titles:
                reading.fault(f"{row.at()}, column {position}", f"expected a heading above {cell!r}, found none")
        if row.values:
            yield row


def _lacks_columns(
    reading: Reading, sheet: Sheet, place: str, titles: Mapping[int, str], headings: Mapping[str, str]
) -> bool:
    """Whether columns are missing without which a sheet's rows say nothing; each is told."""
    missing = [column for column in needed(sheet) if column.field not in headings]
    for column in missing:
        reading.fault(
            place,
            f"expected a column {column.heading('zh')}/{column.heading('en')}, found {', '.join(titles.values())}",
        )
    reading.is_whole = reading.is_whole and not missing
    return bool(missing)


def _filled_down(
    reading: Reading, page: SheetCells, head: int, columns: Mapping[int, Column], titles: Mapping[int, str]
) -> dict[int, dict[int, Cell]]:
    """Rows with what is merged over several of them in each: a name holds for all its rows; an amount is nobody's."""
    rows = {number: dict(cells) for number, cells in page.rows.items()}
    for top, left, bottom, right in page.merged:
        value = rows.get(top, {}).get(left)
        if top <= head or value is None or left not in columns:
            continue
        place = f"sheet {page.name}, row {top}, column {titles[left]}"
        over = [titles[number] for number in range(left, right + 1) if number in columns]
        if len(over) > 1:
            reading.fault(place, f"expected a cell a column, found {value!r} merged over {', '.join(over)}; unmerge it")
        elif bottom > top and columns[left].kind == "number":
            reading.fault(
                place, f"expected a number in each row, found {value!r} merged over rows {top} to {bottom}; write each"
            )
        else:
            for number in rows:
                if top < number <= bottom:
                    rows[number][left] = value
    return rows


def _headed(reading: Reading, sheet: Sheet, place: str, titles: Mapping[int, str]) -> dict[int, Column]:
    """Which column stands where."""
    names = {
        name_key(name): column
        for column in sheet.columns
        for name in (column.field, column.heading("zh"), column.heading("en"))
    }
    columns: dict[int, Column] = {}
    for number, title in titles.items():
        if title.startswith(_ASIDE):
            continue
        column = names.get(name_key(title))
        if column is None or column in columns.values():
            known = ", ".join(f"{one.heading('zh')}/{one.heading('en')}" for one in sheet.columns)
            said = f"found {title!r} a second time" if column else f"found {title!r}"
            reading.fault(place, f"expected headings of {known}, or {_ASIDE} before one of your own; {said}")
            continue
        columns[number] = column
    return columns


def _read_cell(reading: Reading, sheet: Sheet, row: Row, column: Column, cell: Cell) -> None:
    value: Any = cell
    if isinstance(cell, str):
        value = cell.strip()
        if value in ("", *NONE.values()):
            if value:
                row.values[column.field] = NOTHING
            return
        if value.startswith("'") and value.lstrip("'") in ("", *NONE.values()):
            # The apostrophe says that what follows is meant as it stands.
            value = value[1:]
        else:
            value = meant(sheet.section, column.field, value)
    value, expected = _READ[column.kind](value)
    if value is None:
        reading.fault(row.at(column.field), f"expected {expected}; found {cell!r}")
    else:
        row.values[column.field] = value


_Read = tuple[Any, str]
"""The value of a cell, None where it is none of its kind; and what was expected."""


def _as_flag(value: Cell) -> _Read:
    if isinstance(value, bool):
        return value, ""
    said = str(int(value) if isinstance(value, float) else value).casefold()
    found = True if said in _TRUE else False if said in _FALSE else None
    return found, f"one of {', '.join((*FLAGS['zh'], *FLAGS['en']))}"


def _as_day(value: Cell) -> _Read:
    if isinstance(value, str):
        match = _DAY.fullmatch(header_name(value))
        return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}" if match else value, ""
    return value if isinstance(value, date) else None, "a day such as 2026-07-31; format the cell as a date"


def _as_number(value: Cell) -> _Read:
    """As it is written; formulas leave traces of binary fractions, and a cell shows no more than these digits."""
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else header_name(value), ""


def _as_name(value: Cell) -> _Read:
    if isinstance(value, float):
        text = None if abs(value) >= 10**_DIGITS else f"{value:.{_DIGITS}g}"
        return text, f"an id of at most {_DIGITS} digits: a longer one has lost some; format the cell as text"
    if isinstance(value, str):
        return value, ""
    return str(value).lower() if isinstance(value, bool) else value.isoformat(), ""


def _as_period(value: Cell) -> _Read:
    """Spreadsheets make a day of a month that is typed in."""
    if isinstance(value, date) and value.day == 1:
        return f"{value:%Y-%m}", ""
    if isinstance(value, str):
        written = header_name(value)
        month = _MONTH.fullmatch(written)
        return (f"{month[1]}-{int(month[2]):02}" if month else written.upper() if len(written) <= 3 else value), ""
    return _as_name(value)


_READ: Mapping[Kind, Callable[[Cell], _Read]] = {
    "text": _as_name,
    "period": _as_period,
    "number": _as_number,
    "day": _as_day,
    "flag": _as_flag,
}
