"""What every reader yields: bounded batches of raw rows, and the records it could not read as rows."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from flows.errors import PermanentError

ROW = "__row__"
"""Record number in the file as a person counts; the header of a CSV file or sheet is its own row."""
REASON, VALUE, RAW = "__reason__", "__value__", "__raw__"
NAMELESS = "(column "
"""How the name of a column without a header begins."""

_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")


class FileRefused(PermanentError):
    """A file cannot be used as a whole; the night goes on without it.

    Attributes:
        rows: records counted in it, 0 where they cannot be counted.
    """

    def __init__(self, message: str, rows: int = 0) -> None:
        self.rows = rows
        super().__init__(message)


@dataclass(frozen=True)
class Batch:
    """Some consecutive records of a file.

    Attributes:
        rows: the raw columns by header name, and ``ROW``.
        faulty: records that are not rows of this table: ``ROW``, ``REASON``, ``VALUE``, ``RAW`` and those raw columns
            that could be read, as text.
    """

    rows: pl.DataFrame
    faulty: pl.DataFrame


@dataclass(frozen=True)
class Table:
    """A file that has been opened: its header is known, its records are not read yet.

    Attributes:
        columns: header names in order, normalised and unique.
        repeated: header names that occur more than once.
        read: starts reading from the first record; may be called again.
        sheet: name of the sheet, for workbooks.
    """

    columns: tuple[str, ...]
    repeated: frozenset[str]
    read: Callable[[], Iterator[Batch]]
    sheet: str | None = None

    def count(self) -> int:
        """Number of records, by reading all of them."""
        return sum(batch.rows.height + batch.faulty.height for batch in self.read())


def header_name(text: object) -> str:
    """A header as it is compared: NFKC, no invisible characters, single spaces, none at either end."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", str(text))).split())


def header_names(cells: Sequence[object]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Unique names for the cells of a header row, and the names that it repeats.

    A blank cell becomes ``(column 3)``; the second of two equal names becomes ``name (2)``.
    """
    names: list[str] = []
    repeated: set[str] = set()
    for position, cell in enumerate(cells, start=1):
        name = unique = header_name(cell) or f"{NAMELESS}{position})"
        occurrence = 1
        while unique in names:
            repeated.add(name)
            occurrence += 1
            unique = f"{name} ({occurrence})"
        names.append(unique)
    return tuple(names), frozenset(repeated)


def no_faulty() -> pl.DataFrame:
    """The faulty records of a batch that has none."""
    return pl.DataFrame(schema={ROW: pl.Int64, REASON: pl.String, VALUE: pl.String, RAW: pl.String})
