"""The working-day calendar: a country's holidays and adjusted days (调休), years not published yet, own overrides.

The ``holidays`` library knows adjusted days for the years a government has announced; for later years it silently falls
back to the statutory days. Such years are marked ``is_published = false`` so that a pace built on them can say so.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import holidays
import polars as pl

from flows.errors import ConfigError

CALENDAR: dict[str, pl.DataType] = {
    "day": pl.Date(),
    "is_working_day": pl.Boolean(),
    "is_adjusted": pl.Boolean(),
    "is_published": pl.Boolean(),
    "holiday_name": pl.String(),
}
"""Columns of a calendar, one row a day."""


def working_day_calendar(
    first: date,
    last: date,
    country: str,
    *,
    subdivision: str | None = None,
    working_days: Iterable[date] = (),
    holidays_off: Iterable[date] = (),
) -> pl.DataFrame:
    """One row for every day from ``first`` to ``last``.

    Args:
        first: first day.
        last: last day, included.
        country: ISO 3166 code.
        subdivision: state or province with holidays of its own.
        working_days: days the company works although the country's calendar says otherwise.
        holidays_off: days the company does not work although the country's calendar says otherwise.

    Returns:
        Columns of ``CALENDAR``. ``is_adjusted``: the day differs from an ordinary week of the country (a weekday off,
        or a weekend day worked). A year with an override counts as published: the company has looked it up.

    Raises:
        ConfigError: the country or subdivision is unknown, or a day is both a working day and a holiday.
    """
    worked, off = frozenset(working_days), frozenset(holidays_off)
    if both := worked & off:
        days = ", ".join(day.isoformat() for day in sorted(both))
        raise ConfigError([f"overrides: {days} is listed under working_days and under holidays; keep one"])
    known = _country_calendar(country, subdivision, range(first.year, last.year + 1))
    last_announced = _last_announced_year(known)
    overridden_years = {day.year for day in worked | off}
    rows = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        is_working = day in worked or (day not in off and known.is_working_day(day))
        published = last_announced is None or day.year <= last_announced or day.year in overridden_years
        rows.append((day, is_working, is_working == known.is_weekend(day), published, known.get(day)))
    return pl.DataFrame(rows, schema=CALENDAR, orient="row")


def _country_calendar(country: str, subdivision: str | None, years: Iterable[int]) -> holidays.HolidayBase:
    try:
        # The country's own language, said explicitly: left out, names would follow the locale of the process.
        language = holidays.country_holidays(country).default_language
        return holidays.country_holidays(country, subdiv=subdivision, years=years, language=language)
    except NotImplementedError as error:
        place = country if subdivision is None else f"{country}, subdivision {subdivision}"
        raise ConfigError(
            [f"no holidays are known for {place!r} ({error}); expected an ISO 3166 code such as CN, US or DE"]
        ) from error


def _last_announced_year(known: holidays.HolidayBase) -> int | None:
    """The newest year whose adjusted days the library holds; None where holidays follow from rules alone.

    A country announces adjusted days year by year if the library has exchanged days for it up to about the newest
    year it has for China; one that exchanged days once, years ago (Bulgaria until 2016), is not waiting for an
    announcement.
    """
    announced = _years_with_exchanged_days(known)
    if not announced:
        return None
    newest_in_library = max(_years_with_exchanged_days(holidays.country_holidays("CN")))
    return max(announced) if max(announced) >= newest_in_library - 1 else None


def _years_with_exchanged_days(known: holidays.HolidayBase) -> set[int]:
    """Years with an entry (month off, day off, month worked, day worked); named special days have three members."""
    special = getattr(known, "special_public_holidays", None) or {}
    return {year for year, days in special.items() for day in _as_days(days) if len(day) > 3}


def _as_days(days: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
    return days if days and isinstance(days[0], tuple) else (days,)
