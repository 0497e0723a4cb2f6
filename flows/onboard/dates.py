"""In which formats a column writes its dates, found by reading all values; day or month first is never guessed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from flows.ingest.values import dates, moments

DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "day first", "month first", "year first"
MOSTLY = 0.9
"""Share of values that must be dates for a column to be one of dates with slips in it."""
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = re.compile(
    r"^(?P<mark>T|\s+|\s*,\s*|)(?P<clock>\d{1,2}:\d{2})(?P<seconds>:\d{2})?(?P<fraction>\.\d+)?"
    r"(?P<half>\s*[AaPp][Mm])?(?P<zone>\s*(?:Z|[+-]\d{2}:?\d{2}))?$"
)
_CHINESE_TIME = re.compile(r"^(?P<mark>\s*)\d{1,2}时\d{1,2}分(?P<seconds>\d{1,2}秒)?$")
_DATES = (
    (re.compile(r"^\d{4}([-/.])\d{1,2}\1\d{1,2}"), (("%Y{0}%m{0}%d", YEAR_FIRST),)),
    (re.compile(r"^\d{4}(\s*)年\s*\d{1,2}\s*月\s*\d{1,2}\s*日"), (("%Y年%m月%d日", YEAR_FIRST),)),
    (re.compile(r"^\d{1,2}([-/.])\d{1,2}\1\d{4}"), (("%d{0}%m{0}%Y", DAY_FIRST), ("%m{0}%d{0}%Y", MONTH_FIRST))),
    (re.compile(r"^\d{1,2}([/.])\d{1,2}\1\d{2}(?!\d)"), (("%d{0}%m{0}%y", DAY_FIRST), ("%m{0}%d{0}%y", MONTH_FIRST))),
    (
        re.compile(r"^\d{1,2}(-)\d{1,2}\1\d{2}(?!\d)"),
        (("%d{0}%m{0}%y", DAY_FIRST), ("%m{0}%d{0}%y", MONTH_FIRST), ("%y{0}%m{0}%d", YEAR_FIRST)),
    ),
    (re.compile(rf"^\d{{1,2}}([-/ .])\s*{_MONTH}\1\s*\d{{4}}", re.I), (("%d{0}%B{0}%Y", DAY_FIRST),)),
    (re.compile(rf"^\d{{1,2}}([-/ .]){_MONTH}\1\d{{2}}(?!\d)", re.I), (("%d{0}%B{0}%y", DAY_FIRST),)),
    (re.compile(rf"^{_MONTH}(\s)\d{{1,2}}, \d{{4}}", re.I), (("%B %d, %Y", MONTH_FIRST),)),
    (re.compile(rf"^{_MONTH}(\s)\d{{1,2}} \d{{4}}", re.I), (("%B %d %Y", MONTH_FIRST),)),
    (re.compile(rf"^\d{{4}}([-/ ]){_MONTH}\1\d{{1,2}}", re.I), (("%Y{0}%B{0}%d", YEAR_FIRST),)),
    (re.compile(r"^(?:19|20)\d{2}()(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"), (("%Y%m%d", YEAR_FIRST),)),
)
_SHAPES = ((r"\p{Nd}{5,}", "8"), (r"\p{Nd}{3,4}", "4"), (r"\p{Nd}{1,2}", "1"), (r"(?i)" + _MONTH, "b"))


@dataclass(frozen=True)
class DateReading:
    """How the values of a column read as dates.

    Attributes:
        formats: those that read them, in the order in which they are tried; empty where the choice is open.
        share: share of the distinct values that are read by these, or by any of the choices.
        unread: values that no format reads, a few.
        choices: where several orders read all values and differ: the formats of each, by what comes first.
        clash: a value that only one order reads and one that only another reads, where a column mixes them.
        has_time: whether a value tells a time of day.
        has_zone: whether its values tell their zone.
        order: what comes first, where that could be told.
    """

    formats: tuple[str, ...]
    share: float
    unread: tuple[str, ...] = ()
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    clash: tuple[str, str] | None = None
    has_time: bool = False
    has_zone: bool = False
    order: str | None = None


def read_dates(values: pl.Series, order: str | None = None) -> DateReading | None:
    """How distinct values, without nulls, read as dates; None where fewer than nine in ten do.

    Args:
        values: distinct text values.
        order: what comes first, where something else tells.
    """
    if not len(values):
        return None
    text = values.str.normalize("NFKC").str.strip_chars()
    shapes = text
    for pattern, stands_for in _SHAPES:
        shapes = shapes.str.replace_all(pattern, stands_for)
    frame = pl.DataFrame({"value": text, "shape": shapes})
    groups = [(part["value"], _candidates(str(part["value"][0]))) for part in frame.partition_by("shape")]
    groups = [(part, candidates) for part, candidates in groups if candidates]
    if sum(len(part) for part, _ in groups) < MOSTLY * len(values):
        return None
    orders = _orders(groups)
    wanted = [order] if order in orders else orders
    readings = [(first, _formats(groups, first)) for first in wanted]
    read = {first: _read(text, formats) for first, formats in readings}
    return _settle(text, readings, read)


def _orders(groups: Sequence[tuple[pl.Series, list[tuple[str, str]]]]) -> list[str]:
    """The orders that come into question, each of which stands for a choice of formats."""
    open_groups = [{order for _, order in candidates} for _, candidates in groups if len(candidates) > 1]
    return [
        first for first in (DAY_FIRST, MONTH_FIRST, YEAR_FIRST) if any(first in found for found in open_groups)
    ] or [groups[0][1][0][1]]


def _formats(groups: Sequence[tuple[pl.Series, list[tuple[str, str]]]], order: str) -> tuple[str, ...]:
    chosen = []
    for _, candidates in sorted(groups, key=lambda group: -len(group[0])):
        fitting = [format_ for format_, first in candidates if first == order]
        chosen.append(fitting[0] if fitting else candidates[0][0])
    return tuple(dict.fromkeys(chosen))


def _read(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """The values as naive moments, each by the first format that reads it."""
    return moments(text, formats, "UTC", ()).values


def _settle(
    text: pl.Series, readings: list[tuple[str, tuple[str, ...]]], read: dict[str, pl.Series]
) -> DateReading | None:
    most = max(values.is_not_null().sum() for values in read.values())
    any_read = (
        pl.DataFrame([values.alias(first) for first, values in read.items()])
        .select(pl.any_horizontal(pl.all().is_not_null()))
        .to_series()
    )
    share = float(any_read.sum()) / len(text)
    if share < MOSTLY:
        return None
    unread = tuple(text.filter(~any_read).head(3))
    best = [(first, formats) for first, formats in readings if read[first].is_not_null().sum() == most]
    formats = best[0][1]
    has_time = any("%H" in format_ or "%I" in format_ for format_ in formats)
    has_zone = any("%z" in format_ for format_ in formats)
    reading = DateReading(formats, share, unread, has_time=has_time, has_zone=has_zone, order=best[0][0])
    if len(readings) > 1 and most < any_read.sum():
        first, second = (
            best[0][0],
            next(other for other, _ in readings if (read[other].is_not_null() & read[best[0][0]].is_null()).any()),
        )
        clash = (
            text.filter(read[first].is_not_null() & read[second].is_null()),
            text.filter(read[second].is_not_null() & read[first].is_null()),
        )
        if len(clash[0]):
            return DateReading(
                (), share, unread, tuple(readings), (str(clash[0][0]), str(clash[1][0])), has_time, has_zone
            )
    if len(best) > 1:  # though all values are read: 05/05/2024 tells nothing about tomorrow's
        return DateReading((), share, unread, tuple(best), None, has_time, has_zone)
    return reading


def _candidates(value: str) -> list[tuple[str, str]]:
    """Formats for the shape of a value, each with what comes first; several where the order is open."""
    return list(dict.fromkeys(_formats_of(value)))


def _formats_of(value: str) -> Iterator[tuple[str, str]]:
    for pattern, formats in _DATES:
        found = pattern.match(value)
        if not found:
            continue
        clock = _clock(value[found.end() :])
        if clock is None:
            continue
        for format_, order in formats:
            yield format_.format(found[1]) + clock, order
        return


def _clock(rest: str) -> str | None:
    """The format of what stands behind the date; None where it is no time of day."""
    if not rest:
        return ""
    chinese = _CHINESE_TIME.match(rest)
    if chinese:
        return chinese["mark"] + "%H时%M分" + ("%S秒" if chinese["seconds"] else "")
    found = _TIME.match(rest)
    if not found:
        return None
    hour = "%I" if found["half"] else "%H"
    half = (" %p" if found["half"].startswith(" ") else "%p") if found["half"] else ""
    seconds = ":%S" if found["seconds"] else ""
    zone = (" " if (found["zone"] or "").startswith(" ") else "") + "%z" if found["zone"] else ""
    return found["mark"] + f"{hour}:%M{seconds}{'.%f' if found['fraction'] else ''}{half}{zone}"


def reads_all(values: pl.Series, formats: Sequence[str], *, has_time: bool) -> bool:
    """Whether these formats read every value, as the night would."""
    parsed = moments(values, formats, "UTC", ()) if has_time else dates(values, formats, "UTC", ())
    return not any(rows.any() for rows in parsed.faults.values())
