"""Where the header of a table stands on a sheet: which row, over how many rows and columns, and what its columns mean.

Runs in the sandbox.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flows.ingest.headers import header_key, header_name
from flows.ingest.readers.cells import as_text

LEVELS = 4
"""Rows that one header may have."""
_LONGEST = 80
"""Characters of the longest header; a longer text is none."""
_MARKS = " \t\r\n\u3000\ufeff\u200b*_([【（「《<"  # noqa: RUF001 (full-width brackets)

Range = tuple[int, int, int, int]
"""A merged range: first row, first column, last row, last column, counted from 1."""


class KnownHeaders:
    """The headers that are looked for.

    Args:
        keys: their keys (``header_key``).
    """

    def __init__(self, keys: frozenset[str]) -> None:
        self.keys = keys
        self._initials = {key[0] for key in keys if key}
        self._is_initial: dict[str, bool] = {}

    def matched(self, row: Sequence[Any]) -> dict[int, str]:
        """Known keys of a row by column, counted from 1."""
        keys = ((column, self._key(cell)) for column, cell in enumerate(row, start=1))
        return {column: key for column, key in keys if key in self.keys}

    def enough(self, matched: Sequence[str], filled: int) -> bool:
        """Whether a row with these keys and so many filled cells is a header."""
        count = len(set(matched))
        return count >= min(2, max(1, len(self.keys))) and (2 * count >= filled or 2 * count >= len(self.keys))

    def begins_another(self, matched: Sequence[str], filled: int) -> bool:
        """The same inside of a table, where a record may hold a word that heads a column elsewhere."""
        count = len(set(matched))
        return filled > 1 and self.enough(matched, filled) and (2 * count >= filled or 2 < count == len(self.keys))

    def may_head(self, row: Sequence[Any]) -> bool:
        """Whether it is worth while to look at a row inside a table more closely: most rows hold a number or a date."""
        if set(map(type, row)) != {str}:
            return False
        filled = [cell for cell in row if cell]
        hits = sum(len(cell) <= _LONGEST and self._begins_like_one(cell) for cell in filled)
        return hits >= min(2, len(self.keys)) and (2 * hits >= len(filled) or 2 * hits >= len(self.keys))

    def _begins_like_one(self, text: str) -> bool:
        first = text.lstrip(_MARKS)[:1]
        known = self._is_initial.get(first)
        if known is None:
            known = self._is_initial[first] = header_key(first)[:1] in self._initials
        return known

    @staticmethod
    def _key(cell: Any) -> str:
        return header_key(cell) if isinstance(cell, str) and cell and len(cell) <= _LONGEST else ""


@dataclass(frozen=True)
class Header:
    """The header of one table: its rows, its columns, and their names.

    Attributes:
        top, bottom: first and last row.
        first, last: first and last column.
        names: one name a column, empty where nothing is written.
        raw: the cells of each of its rows within its columns, as text.
    """

    top: int
    bottom: int
    first: int
    last: int
    names: tuple[str, ...]
    raw: tuple[tuple[str, ...], ...]

    def repeats(self, row: Sequence[Any]) -> bool:
        """Whether a row of the sheet writes (a row of) this header once more."""
        return repeats(self.raw, row[self.first - 1 : self.last])


def repeats(raw: Sequence[Sequence[str]], cells: Sequence[Any]) -> bool:
    """Whether the cells are those of one row of a header; blank ones do not count, but half of them are there."""
    for level in raw:
        written = sum(1 for text in level if text)
        same = 0
        for text, cell in zip(level, cells, strict=False):
            if cell != "":
                if not text or header_name(as_text(cell)) != text:
                    break
                same += 1
        else:
            if same >= 2 and 2 * same >= written or same == written == 1:
                return True
    return False


def groups(
    number: int, row: Sequence[Any], matched: dict[int, str], known: KnownHeaders, merged: Sequence[Range]
) -> Iterator[tuple[int, int]]:
    """Column spans of the tables that stand side by side under one header row.

    A blank column parts two tables where each side would be a header by itself, and either both name a column alike or
    together they are far from all that is looked for: one mapped table with a blank column inside stays one. Cells that
    a wide header is merged over are not blank.
    """
    wide = {
        column
        for first, left, _, right in merged
        if first == number
        for column in range(left, right + 1)
        if left <= len(row) and row[left - 1] != ""
    }
    runs = _runs(row, wide)
    spans: list[list[int]] = []
    for first, last in runs:
        keys = [key for column, key in matched.items() if first <= column <= last]
        if spans:
            left = [key for column, key in matched.items() if spans[-1][0] <= column <= spans[-1][1]]
            filled = sum(1 for cell in row[spans[-1][0] - 1 : spans[-1][1]] if cell != "")
            apart = set(keys) & set(left) or 2 * len({*keys, *left}) < len(known.keys)
            if apart and known.enough(left, filled) and known.enough(keys, last - first + 1):
                spans.append([first, last])
                continue
            spans[-1][1] = last
        else:
            spans.append([first, last])
    return ((first, last) for first, last in spans)


def uncovered(
    number: int, row: Sequence[Any], rows: dict[int, Sequence[Any]], merged: Sequence[Range]
) -> Sequence[Any]:
    """A row with the texts of those cells above that are merged down into it."""
    cells = list(row)
    for first, left, last, _ in merged:
        above = rows.get(first, ())
        if first < number <= last and left <= len(cells) and cells[left - 1] == "" and left <= len(above):
            cells[left - 1] = above[left - 1]
    return cells


def _runs(row: Sequence[Any], wide: Collection[int]) -> list[tuple[int, int]]:
    """Stretches of cells that are filled, or covered by one that is merged over them."""
    runs: list[tuple[int, int]] = []
    for column, cell in enumerate(row, start=1):
        if cell == "" and column not in wide:
            continue
        if runs and runs[-1][1] == column - 1:
            runs[-1] = (runs[-1][0], column)
        else:
            runs.append((column, column))
    return runs


def extend(
    number: int,
    span: tuple[int, int],
    rows: dict[int, Sequence[Any]],
    merged: Sequence[Range],
    known: KnownHeaders,
    *,
    above: bool,
) -> Header:
    """The whole header around the row in which it was found: rows above and below that belong to it by their merges.

    Args:
        number: the row that was recognised.
        span: its columns.
        rows: the rows around it by number.
        merged: merged ranges of the sheet that touch these rows.
        known: the headers that are looked for.
        above: whether rows above may belong to it; not where another table ends there.
    """
    top = bottom = number
    while above and number - top < LEVELS - 1 and _is_parent(top - 1, top, span, rows, merged):
        top -= 1
    for first, left, last, right in merged:
        if top <= first <= number and last - first < LEVELS and _inside(left, right, span):
            bottom = max(bottom, min(last, top + LEVELS - 1))
    while bottom - top < LEVELS - 1 and _has_children(bottom, span, rows, merged, known):
        bottom += 1
    last = max(span[1], _reach(bottom, span, rows) if bottom > number else span[1])
    return _named(top, bottom, (span[0], last), rows, merged, known)


def _is_parent(
    row: int, child: int, span: tuple[int, int], rows: dict[int, Sequence[Any]], merged: Sequence[Range]
) -> bool:
    """Whether a row stands over parts of the header: it is merged over some of its columns, or down into it."""
    cells = rows.get(row)
    if not cells:
        return False
    for first, left, last, right in merged:
        if first == row and _inside(left, right, span):
            across = right > left and last == row and (left, right) != span and right - left < span[1] - span[0]
            if across or last >= child and last - first < LEVELS:
                return True
    return False


def _has_children(
    row: int, span: tuple[int, int], rows: dict[int, Sequence[Any]], merged: Sequence[Range], known: KnownHeaders
) -> bool:
    """Whether the next row names the parts of columns that this one only sums up."""
    cells, below = rows.get(row), rows.get(row + 1)
    if not cells or not below:
        return False
    filled = {at for at in range(span[0], min(len(below), span[1] + LEVELS) + 1) if below[at - 1] != ""}
    if not filled or not all(isinstance(below[at - 1], str) for at in filled):
        return False
    parents = {
        column
        for first, left, last, right in merged
        if first == row == last and right > left and (left, right) != span and left <= span[1] and right >= span[0]
        for column in range(left, right + 1)
    }
    if parents:
        return filled <= parents
    blank = {at for at in range(span[0], span[1] + 1) if cells[at - 1] == ""}
    over = blank | {at - 1 for at in blank}
    return bool(filled & blank) and filled <= over and bool(known.matched([below[at - 1] for at in sorted(filled)]))


def _reach(row: int, span: tuple[int, int], rows: dict[int, Sequence[Any]]) -> int:
    """The last column of the filled cells of a row that go on from a span."""
    cells = rows.get(row, ())
    last = span[1]
    while last < len(cells) and cells[last] != "":
        last += 1
    return last


def _named(
    top: int,
    bottom: int,
    span: tuple[int, int],
    rows: dict[int, Sequence[Any]],
    merged: Sequence[Range],
    known: KnownHeaders,
) -> Header:
    first, last = span
    raw = tuple(
        tuple(_text(rows.get(row, ()), column) for column in range(first, last + 1)) for row in range(top, bottom + 1)
    )
    levels = [list(level) for level in raw]
    for up, left, down, right in merged:
        if top <= up <= bottom and up == min(down, bottom) and right > left and _inside(left, right, span):
            text, until = levels[up - top][left - first], min(right, last) - first
            levels[up - top][left - first : until + 1] = [text] * (until + 1 - left + first)
    for level, below in zip(levels, levels[1:], strict=False):
        for at in range(1, len(level)):
            if not level[at] and below[at] and below[at - 1]:
                level[at] = level[at - 1]
    return Header(top, bottom, first, last, tuple(_compose(levels, known)), raw)


def _compose(levels: Sequence[Sequence[str]], known: KnownHeaders) -> list[str]:
    """One name a column: the lowest text alone where it is known and unique, else all from the top down, by ``/``."""
    paths = [list(dict.fromkeys(text for text in column if text)) for column in zip(*levels, strict=True)]
    lowest = [path[-1] if path else "" for path in paths]
    names = []
    for path, child in zip(paths, lowest, strict=True):
        whole = "/".join(path)
        alone = len(path) < 2 or (
            header_key(whole) not in known.keys and header_key(child) in known.keys and lowest.count(child) == 1
        )
        names.append(child if alone else whole)
    return names


def _text(cells: Sequence[Any], column: int) -> str:
    return header_name(as_text(cells[column - 1])) if column <= len(cells) and cells[column - 1] != "" else ""


def _inside(left: int, right: int, span: tuple[int, int]) -> bool:
    return span[0] <= left and right <= span[1] + LEVELS and left <= span[1]
