"""What the readers call things, and how they refuse a file. Light: the sandbox imports it as well as the night."""

from collections.abc import Sequence

from flows.errors import PermanentError
from flows.ingest.headers import header_name

ROW = "__row__"
"""Record number in the file as a person counts; the header of a CSV file or sheet is its own row."""
REASON, VALUE, RAW = "__reason__", "__value__", "__raw__"
NAMELESS = "(column "
"""How the name of a column without a header begins."""


class FileRefused(PermanentError):
    """A file cannot be used as a whole; the night goes on without it.

    Attributes:
        rows: records counted in it, 0 where they cannot be counted.
    """

    def __init__(self, message: str, rows: int = 0) -> None:
        self.rows = rows
        super().__init__(message)


def header_names(cells: Sequence[object], first_column: int = 1) -> tuple[tuple[str, ...], frozenset[str]]:
    """Unique names for the cells of a header row, and the names that it repeats.

    A blank cell becomes ``(column 3)``, counted from the left edge of the sheet, on which the first cell stands in
    column ``first_column``; the second of two equal names becomes ``name (2)``.
    """
    names: dict[str, None] = {}
    repeated: set[str] = set()
    occurrences: dict[str, int] = {}
    for position, cell in enumerate(cells, start=first_column):
        name = unique = header_name(cell) or f"{NAMELESS}{position})"
        while unique in names:
            repeated.add(name)
            occurrences[name] = occurrences.get(name, 1) + 1
            unique = f"{name} ({occurrences[name]})"
        names[unique] = None
    return tuple(names), frozenset(repeated)
