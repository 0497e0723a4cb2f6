"""Quarantined rows as the people who mend them get them: one workbook (or CSV file) an owner, in their language.

In a workbook every text is a string cell marked as text. CSV has no types: a text that a spreadsheet would take for a
formula gets a leading apostrophe.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.history.durable import replace_file
from flows.history.quarantine_advice import Language

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ROWS_A_SHEET = 1_000_000
_LONGEST = 32_767
_HEADINGS: dict[str, tuple[str, str]] = {
    "owner": ("负责人", "Owner"),
    "file": ("文件", "File"),
    "sheet": ("工作表", "Sheet"),
    "row": ("行", "Row"),
    "column": ("列", "Column"),
    "value": ("现有内容", "Value found"),
    "reason": ("原因", "Reason"),
    "suggestion": ("建议", "Suggestion"),
    "since": ("自", "Since"),
}
_WORDS: dict[str, tuple[str, str]] = {
    "summary": ("汇总", "Summary"),
    "title": ("待更正的数据，{0}", "Rows to mend, {0}"),
    "how": (
        "请在来源文件或系统中更正，不要在本表中更正；更正后，下一个夜间会自动重新读取。",
        "Mend them in the file or system they come from, not here; the next night reads them again by itself.",
    ),
    "source": ("来源", "Source"),
    "rows": ("行数", "Rows"),
    "raw": ("原始行", "Source row"),
}


def write_for(rows: pl.DataFrame, path: Path, as_of: date, language: Language) -> Path:
    """Write the quarantined cells of one owner, or of all.

    Args:
        rows: ``owner`` (null throughout: no such column), ``source``, ``file``, ``sheet``, ``row``, ``column``,
            ``value``, ``reason``, ``suggestion``, ``since``, ``raw``; one row a faulty cell.
        path: ends in .xlsx or .csv.
        as_of: the night.
        language: zh or en.
    """
    shown = [name for name in _HEADINGS if name != "owner" or rows["owner"].is_not_null().any()]
    if path.suffix.lower() == ".csv":
        return replace_file(path, lambda temporary: _write_csv(rows, shown, temporary, language))
    return replace_file(path, lambda temporary: _write_xlsx(rows, shown, temporary, as_of, language))


def _write_csv(rows: pl.DataFrame, shown: Sequence[str], path: Path, language: Language) -> None:
    english = language == "en"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([*(_HEADINGS[name][english] for name in shown), _WORDS["raw"][english]])
        for row in rows.iter_rows(named=True):
            raw = "; ".join(f"{name}: {value}" for name, value in _source_row(row["raw"]).items())
            writer.writerow([_harmless(cell) for cell in (*(row[name] for name in shown), raw)])


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def _source_row(raw: str | None) -> Mapping[str, Any]:
    """The cells of the source row that hold something."""
    row = json.loads(raw) if raw else {}
    if not isinstance(row, dict):
        return {"": str(raw)}
    return {name: value for name, value in row.items() if value not in (None, "")}


class _Book:
    """A workbook being written: its formats, and sheet names that a spreadsheet accepts, each once."""

    def __init__(self, book: "xlsxwriter.Workbook") -> None:
        self._book = book
        self._names: set[str] = set()
        self.text = book.add_format({"num_format": "@", "quote_prefix": True, "text_wrap": True, "valign": "top"})
        self.fault = book.add_format({"num_format": "@", "quote_prefix": True, "bg_color": "#FFE699", "valign": "top"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        self.bold = book.add_format({"bold": True})

    def sheet(self, title: str) -> "Worksheet":
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]|^'|'$", " ", title).strip()[:28] or "-"
        name, turn = plain, 1
        while name.lower() in self._names:
            turn += 1
            name = f"{plain[:25]} ({turn})"
        self._names.add(name.lower())
        return self._book.add_worksheet(name)

    def cell(self, sheet: "Worksheet", line: int, column: int, value: object, *, faulty: bool = False) -> None:
        if isinstance(value, date):
            sheet.write_datetime(line, column, value, self.day)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            sheet.write_number(line, column, value)
        elif value is not None:
            sheet.write_string(line, column, str(value)[:_LONGEST], self.fault if faulty else self.text)


def _write_xlsx(rows: pl.DataFrame, shown: Sequence[str], path: Path, as_of: date, language: Language) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        book = _Book(workbook)
        _write_summary(book, rows, as_of, language)
        for (source,), ours in rows.group_by(["source"], maintain_order=True):
            for part in ours.iter_slices(_ROWS_A_SHEET):
                _write_rows(book, str(source), part, shown, language)


def _write_summary(book: _Book, rows: pl.DataFrame, as_of: date, language: Language) -> None:
    english = language == "en"
    sheet = book.sheet(_WORDS["summary"][english])
    sheet.set_column(0, 1, 30)
    sheet.set_column(2, 2, 70)
    sheet.write_string(0, 0, _WORDS["title"][english].format(as_of), book.bold)
    sheet.write_string(1, 0, _WORDS["how"][english])
    heads = (
        _WORDS["source"][english],
        _HEADINGS["file"][english],
        _HEADINGS["reason"][english],
        _WORDS["rows"][english],
    )
    for number, heading in enumerate(heads):
        sheet.write_string(3, number, heading, book.bold)
    counts = rows.group_by("source", "file", "reason", maintain_order=True).agg(
        pl.struct("sheet", "row").n_unique().alias("rows")
    )
    for line, row in enumerate(counts.iter_rows(), start=4):
        for number, value in enumerate(row):
            book.cell(sheet, line, number, value)


def _write_rows(book: _Book, source: str, rows: pl.DataFrame, shown: Sequence[str], language: Language) -> None:
    """A sheet of one source: what is wrong, then the source row under the headers of its file."""
    sheet = book.sheet(source)
    sheet.freeze_panes(1, 0)
    raw = [_source_row(row) for row in rows["raw"]]
    headers = list(dict.fromkeys(name for row in raw for name in row))
    for number, name in enumerate(shown):
        sheet.set_column(number, number, 45 if name in ("reason", "suggestion") else 16)
        sheet.write_string(0, number, _HEADINGS[name][language == "en"], book.bold)
    for number, name in enumerate(headers, start=len(shown)):
        sheet.write_string(0, number, name[:_LONGEST], book.bold)
    for line, (row, cells) in enumerate(zip(rows.iter_rows(named=True), raw, strict=True), start=1):
        for number, value in _cells(row, shown, cells, headers):
            faulty = number >= len(shown) and headers[number - len(shown)] == row["column"]
            book.cell(sheet, line, number, value, faulty=faulty)


def _cells(
    row: Mapping[str, Any], shown: Sequence[str], raw: Mapping[str, Any], headers: Sequence[str]
) -> Iterator[tuple[int, Any]]:
    yield from enumerate(row[name] for name in shown)
    yield from enumerate((raw.get(name) for name in headers), start=len(shown))
