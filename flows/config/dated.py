"""``{date:%Y-%m-%d}`` in a source's path: each matching file is the export of the day in its name."""

import re
from dataclasses import dataclass
from datetime import date, datetime

_PLACE = re.compile(r"\{date:([^{}]+)\}")
_WIDTHS = {"%Y": 4, "%y": 2, "%m": 2, "%d": 2, "%j": 3}


@dataclass(frozen=True)
class DateInName:
    """Where a file's path holds the day that the file shows.

    Attributes:
        pattern: matches the path; its group is the day.
        format: how the day is written.
    """

    pattern: re.Pattern[str]
    format: str

    @classmethod
    def of(cls, path: str) -> "DateInName | None":
        """Read ``{date:...}`` in a configured path; None where there is none.

        Raises:
            ValueError: it stands there twice, or its format tells no day.
        """
        found = list(_PLACE.finditer(path))
        if not found:
            return None
        if len(found) > 1:
            raise ValueError(f"expected {{date:...}} once in a path, found it {len(found)} times in {path}")
        place = found[0]
        _check(place[1])
        before, after = (_glob_as_pattern(part) for part in (path[: place.start()], path[place.end() :]))
        digits = re.sub("%.", lambda directive: f"[0-9]{{{_WIDTHS[directive[0]]}}}", re.escape(place[1]))
        return cls(re.compile(f"{before}({digits}){after}"), place[1])

    def read(self, path: str) -> date | None:
        """The day in a file's path; None where something else stands there.

        Raises:
            ValueError: digits that are no day of the calendar.
        """
        found = self.pattern.fullmatch(path)
        return datetime.strptime(found[1], self.format).date() if found else None  # noqa: DTZ007 (a day has no zone)


def any_day(path: str) -> str:
    """The glob for files of all days: as many characters as the day has."""
    return _PLACE.sub(lambda place: "".join(map(_wildcards, re.split("(%.)", place[1]))), path)


def _wildcards(part: str) -> str:
    return "?" * _WIDTHS[part] if part in _WIDTHS else part


def _check(format_: str) -> None:
    directives = set(re.findall("%.", format_))
    is_day = {"%m", "%d"} <= directives or "%j" in directives
    if directives - set(_WIDTHS) or not is_day or not directives & {"%Y", "%y"}:
        raise ValueError(f"expected a day such as {{date:%Y-%m-%d}} or {{date:%Y%m%d}}, found {format_!r}")


def _glob_as_pattern(glob: str) -> str:
    """A regular expression for what a glob can match, ``**`` and character sets included."""
    kinds = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", glob)
    return "".join(
        kinds.get(part, part.replace("[!", "[^", 1) if part[:1] == "[" else re.escape(part)) for part in parts
    )
