"""The tables of a workbook, each with what of ``sources.yaml`` it takes to find it again."""

from pathlib import Path
from typing import Any

from flows.ingest.readers.batch import FileRefused, Table
from flows.ingest.readers.workbook import TablePlace, open_workbook, survey


def workbook_tables(
    path: Path, known: frozenset[str], *, sheet: str | None = None, header_row: int | None = None
) -> list[tuple[dict[str, Any], Table]]:
    """Every table of every sheet.

    Args:
        path: the workbook.
        known: header keys of all entities; on a sheet without any, the row that looks like a header is taken.
        sheet: only this one.
        header_row: where its header stands, where a person says so.

    Raises:
        FileRefused: it is no workbook, or holds no table.
    """
    found = survey(path, sheet=sheet or "*", known=known, header_row=header_row)
    places = list(found.tables)
    strange = {left.sheet for left in found.unrecognised} - {place.sheet for place in places}
    for name in sorted(strange):
        places.extend(survey(path, sheet=name, known=frozenset()).tables)
    if not places:
        raise FileRefused("Expected a table on some sheet, found only blank cells.")
    stacked = [place.sheet for place in places]
    return [
        (_options(place, is_guess=place.sheet in strange or stacked.count(place.sheet) > 1), open_workbook(path, place))
        for place in places
    ]


def _options(place: TablePlace, *, is_guess: bool) -> dict[str, Any]:
    """The sheet by its name; the header's row only where it would not be found by the mapped columns."""
    return {"sheet": place.sheet, **({"header_row": place.header_row} if is_guess and place.header_row > 1 else {})}
