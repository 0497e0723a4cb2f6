"""Which tables a landed file holds: one in an export, perhaps many in a workbook, each for the source that it fills.

A workbook's tables are found by their headers. What lies on its sheets beside them is told. Where templates are looked
for, it is refused if it looks like one of them: records that nobody asked for are a fault of the configuration or of
the sheet, and never dropped.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.config.sources import Source
from flows.ingest.beside import Left, is_meant, left, left_of, told
from flows.ingest.headers import header_key, header_name, template_keys, unit_note
from flows.ingest.mapping import WORKBOOKS
from flows.ingest.noticed import Said
from flows.ingest.readers import encoding, open_table
from flows.ingest.readers.names import FileRefused, header_names
from flows.ingest.readers.workbook import Survey, TablePlace, mapped_keys, survey
from flows.ingest.readers.workbook import Unrecognised as Unknown
from flows.ingest.templates import Unrecognised, recognise

_HEADER_WITHIN = 50
"""Records at the top of a text file among which the header of a template is looked for."""
_SHOWN = 8


@dataclass(frozen=True)
class FoundTable:
    """One table of a landed file, or a part of it that cannot be used.

    Attributes:
        source: the source that it fills.
        place: where it stands; None for a file that is one table.
        refusal: why it cannot be used.
        rows: rows of a refused part.
        beside: sheets with data that no table of this file belongs to, told at its first table.
    """

    source: Source
    place: TablePlace | None = None
    refusal: str | None = None
    rows: int = 0
    beside: Said | None = None

    @property
    def cell(self) -> str:
        """Sheet and first cell, as people name them; empty for a file that is one table."""
        return f"{self.place.sheet}!{self.place.cell}" if self.place and self.place.sheet else ""


def tables_of(path: Path, file_format: str, sources: Sequence[Source]) -> list[FoundTable]:
    """The tables of a landed file.

    Args:
        path: the landed copy.
        file_format: csv, parquet, jsonl, xlsx or xls.
        sources: the source that reads it, or all that share it as templates.

    Returns:
        At least one; a template that no table of the file fills is not among them.
    """
    first = sources[0]
    try:
        if first.template:
            return _templates(path, file_format, sources)
        if file_format in WORKBOOKS:
            return _mapped_tables(path, first)
    except FileRefused as refusal:
        return [FoundTable(source, refusal=str(refusal), rows=refusal.rows) for source in sources]
    return [FoundTable(first)]


def _mapped_tables(path: Path, source: Source) -> list[FoundTable]:
    """The tables of a workbook that hold the columns of a configured mapping."""
    found = survey(
        path, sheet=source.sheet, known=mapped_keys(source), header_row=source.header_row, hidden=source.hidden
    )
    needed = {header_name(name) for column in source.columns.values() for name in column.source_columns}
    # One that has half of the columns is opened too, so that its refusal can say what is missing; its rows count.
    meant = [place for place in found.tables if 2 * len(needed & set(place.columns)) >= len(needed)]
    if not meant:
        nearest = max(found.tables, key=lambda place: len(needed & set(place.columns)), default=None)
        return [FoundTable(source, nearest or _guessed(path, source))]
    others = [f"{place.sheet}!{place.cell}" for place in found.tables if place not in meant]
    beside = [*others, *(f"{part.sheet}, row {part.first_row}" for part in found.unrecognised)]
    shown = "; ".join(beside[:_SHOWN])
    said = Said(f"not read, since the mapped columns are not there: {shown}", f"以下内容没有映射的列，未读取：{shown}")
    return [FoundTable(source, place, beside=said if beside and place is meant[0] else None) for place in meant]


def _guessed(path: Path, source: Source) -> TablePlace | None:
    tables = survey(path, sheet=source.sheet, known=frozenset(), hidden=source.hidden).tables
    return tables[0] if tables else None


def _templates(path: Path, file_format: str, sources: Sequence[Source]) -> list[FoundTable]:
    """The tables of a file by what their headers say they are.

    What is no template is refused in a file that holds none at all; beside one, only where it looks like another.
    """
    by_entity = {source.entity: source for source in sources}
    first = sources[0]
    found = _with_templates(path, file_format, first)
    ignored = {header_key(name) for name in first.ignore}
    stated = {name: column for source in sources for name, column in source.columns.items()}
    tables: list[FoundTable] = []
    strange: list[tuple[FoundTable, Left]] = []
    for place in found.tables:
        if place.sheet and header_key(place.sheet) in ignored:
            continue
        what = recognise(place.columns, among=tuple(by_entity), stated=stated, ignore=first.ignore)
        if isinstance(what, Unrecognised):
            source = by_entity.get(what.nearest or "", first)
            part = left(open_table(path, file_format, in_place(source, place), place), place.header_row)
            refused = FoundTable(source, place, refusal=_on_sheet(place, what.message), rows=part.rows)
            strange.append((refused, part))
        else:
            tables.append(FoundTable(by_entity[what.entity], place))
    for unknown in found.unrecognised:
        if header_key(unknown.sheet) not in ignored:
            place = _place_of(unknown)
            refusal = _on_sheet(place, _unknown(unknown, by_entity))
            strange.append((FoundTable(first, place, refusal=refusal, rows=unknown.rows), left_of(unknown)))
    if not tables and not strange:
        raise FileRefused("Expected a table, found blank sheets only, apart from those under `ignore`.")
    if not tables:
        return [refused for refused, _ in strange]
    said = told([part for _, part in strange if not is_meant(part)])
    meant = [refused for refused, part in strange if is_meant(part)]
    return [replace(tables[0], beside=said), *tables[1:], *meant]


def _on_sheet(place: TablePlace, message: str) -> str:
    return f"Sheet {place.sheet!r}, row {place.header_row}: {message}" if place.sheet else message


def in_place(source: Source, place: TablePlace | None) -> Source:
    """The source as it reads one of its tables."""
    return source.model_copy(update={"sheet": place.sheet or None, "header_row": place.header_row}) if place else source


def _unknown(part: Unknown, by_entity: Iterable[str]) -> str:
    what = recognise(part.cells, among=tuple(by_entity))
    return what.message if isinstance(what, Unrecognised) else f"Expected a table, found {', '.join(part.cells)}."


def _place_of(part: Unknown) -> TablePlace:
    return TablePlace(part.sheet, part.first_row, 1, 1, len(part.cells), part.first_row + part.rows - 1, part.cells)


def _with_templates(path: Path, file_format: str, source: Source) -> Survey:
    """Tables with headers of templates, and data without."""
    if file_format in WORKBOOKS:
        return survey(
            path,
            sheet=source.sheet or "*",
            known=template_keys(),
            header_row=source.header_row,
            hidden=source.hidden,
        )
    if file_format != "csv":
        columns = open_table(path, file_format, source).columns
        return Survey((TablePlace("", 0, 0, 1, len(columns), 0, tuple(columns)),), ())
    row, cells, above = _text_header(path, source)
    columns, repeated = header_names(cells)
    notes = set(map(unit_note, above)) - {""}
    unit = notes.pop() if len(notes) == 1 else ""
    return Survey((TablePlace("", row, 1, 1, len(cells), 0, columns, tuple(repeated), unit=unit),), ())


def _text_header(path: Path, source: Source) -> tuple[int, list[str], list[str]]:
    """The row of a text file that is most like the header of a template, its cells, and those of the rows above.

    The first one of several.
    """
    codec = encoding.detect(path, source.encoding)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else source.csv.delimiter
    known = template_keys()
    best: tuple[int, int, list[str], list[str]] = (-1, 0, [], [])
    above: list[str] = []
    with encoding.open_utf8(path, codec) as stream:
        lines = (line.decode("utf-8") for line in iter(stream.readline, b""))
        try:
            for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, quotechar=source.csv.quote), start=1):
                if number > _HEADER_WITHIN:
                    break
                if source.header_row not in (None, number):
                    continue
                hits = sum(header_key(cell) in known for cell in cells)
                if hits > best[0]:
                    best = (hits, number, cells, list(above))
                above.extend(cells)
        except csv.Error as error:
            raise FileRefused(f"Expected CSV, found something else ({error}).") from error
    if not any(cell.strip() for cell in best[2]):
        raise FileRefused("Expected a header, found an empty file.")
    return best[1], best[2], best[3]
