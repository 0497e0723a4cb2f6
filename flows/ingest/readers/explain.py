"""Why a workbook could not be read within its bounds, in one line. Runs in the sandbox after a child has died."""

import re
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from flows.ingest.readers.limits import CELLS, MiB
from flows.ingest.readers.names import FileRefused
from flows.ingest.readers.parts import Package, column_number

_CELL = re.compile(rb'\sr="([A-Z]{1,3})([0-9]{1,7})"')
_OVERLAP = 32
_STRINGS = "xl/sharedstrings.xml"
_LARGE = 256 * MiB


def explain_job(folder: Path, path: str) -> dict[str, Any]:
    """Raises the refusal that names the cause; nothing where none is found."""
    if not is_zipfile(path):
        return {}
    package = Package(Path(path))
    for sheet in package.sheet_names:
        height = width = 0
        tail = b""
        for chunk in package.sheet_chunks(sheet):
            for column, row in set(_CELL.findall(tail + chunk)):
                height = max(height, int(row))
                width = max(width, column_number(column.decode()))
            tail = chunk[-_OVERLAP:]
        if height * width > CELLS:
            raise FileRefused(
                f"Sheet {sheet!r}: expected at most {CELLS:,} cells, found {height:,} rows by {width:,} columns. "
                "Delete the stray cell far outside the table, or export CSV."
            )
    part, size = max(package.unpacked().items(), key=lambda item: item[1])
    if size > _LARGE:
        what = "texts" if part == _STRINGS else "cells"
        raise FileRefused(
            f"Expected a workbook that fits in memory, found {size // MiB} MB of {what} in {part}. Save only the rows "
            "in use as a new workbook, or export CSV."
        )
    return {}
