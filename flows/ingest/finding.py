"""Which files a night takes: those that a source's globs match; where their names tell days, the days yet to record.

All dated files of a day are one snapshot: if one of them is new, or holds something else than what was recorded, the
whole day is taken (again).
"""

import glob
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.config.dated import DateInName
from flows.config.sources import Source
from flows.errors import PermanentError
from flows.ingest.readers.containment import passed_over, refuse_outside
from flows.ingest.readers.names import FileRefused

Recorded = Mapping[str, Mapping[str, str]]
"""By source and file: the SHA-256 of what was last accepted under that name."""


@dataclass(frozen=True)
class FoundFile:
    """A file that a source's globs match.

    Attributes:
        source: the source.
        path: where it lies.
        name: relative to the fixed part of the glob.
        observed_on: the day that it shows: the night's, or the one in its name.
        refusal: why it is not taken, where it leads out of the folder; nothing of it is read.
    """

    source: Source
    path: Path
    name: str
    observed_on: date
    refusal: str | None = None


def find_files(source: Source, as_of: date) -> Iterator[FoundFile]:
    """Files that match the source's globs, each once, without what programs leave behind or have not finished.

    Dated files come in the order of their days; a day after ``as_of`` is left for its own night.

    Raises:
        PermanentError: the digits in a file's name are no day of the calendar.
    """
    seen: set[str] = set()
    found = []
    for pattern, place in source.dated_paths(as_of):
        base = _fixed_folder(pattern)
        for text in sorted(glob.glob(pattern, recursive=True)):
            path = Path(text)
            if passed_over(path.name) or not path.is_file() or os.path.abspath(text) in seen:
                continue
            day = _day(text, place, source) if place else as_of
            if day is None or day > as_of:
                continue
            seen.add(os.path.abspath(text))
            name = os.path.relpath(text, base).replace(os.sep, "/")
            found.append(FoundFile(source, path, name, day, _leads_out(path, base)))
    yield from sorted(found, key=lambda file: file.observed_on)


def days_to_take(files: Sequence[FoundFile], is_recorded: Callable[[FoundFile], bool]) -> list[FoundFile]:
    """Those dated files of one source whose day holds something that no earlier night has accepted.

    Args:
        files: all that were found.
        is_recorded: whether a file is still what was accepted under its name.
    """
    new = {file.observed_on for file in files if not is_recorded(file)}
    return [file for file in files if file.observed_on in new]


def _day(path: str, place: DateInName, source: Source) -> date | None:
    try:
        return place.read(path)
    except ValueError as error:
        raise PermanentError(
            f"{path}: expected a day written as {place.format} in the name, found none of the calendar. "
            f"Rename the file, or narrow `path` of source {source.name} in sources.yaml."
        ) from error


def _leads_out(path: Path, base: str) -> str | None:
    try:
        refuse_outside(path, Path(base))
    except FileRefused as refusal:
        return str(refusal)
    return None


def _fixed_folder(pattern: str) -> str:
    """The folder before the first wildcard of a glob."""
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder or "."
