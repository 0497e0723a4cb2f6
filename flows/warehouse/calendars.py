"""The calendars of a night: days worked, by the company's calendar and those of nodes; fiscal periods of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from flows.config.fiscal import PERIOD_KINDS, FiscalCalendar
from flows.config.loader import CalendarOverrides, Config
from flows.config.settings import WorkCalendar
from flows.errors import ConfigError
from flows.warehouse.calendar import CALENDAR, working_day_calendar
from flows.warehouse.inputs import first_business_date, last_planned_date, write_input
from flows.workspace import Workspace
from schemas.base import DATE_MAX, DATE_MIN

YEARS_BACK = 3
"""The calendar reaches at least this many years behind the as-of date: comparisons with past years need their days."""

YEARS_AHEAD = 10
"""Plans that reach further ahead than this have no place in the calendar."""

POSITIONS: dict[str, pl.DataType] = {
    "day": pl.Date(),
    **{f"{kind}_{edge}_on": pl.Date() for kind in PERIOD_KINDS for edge in ("start", "end")},
    "fiscal_year": pl.Int32(),
    **{f"fiscal_{kind}": pl.Int32() for kind in PERIOD_KINDS if kind != "year"},
}
"""Columns of the fiscal periods of a day: first and last day of each, the year's name, the others' number in it."""

CALENDARS: dict[str, pl.DataType] = {
    "calendar": pl.String(),
    "is_company": pl.Boolean(),
    **CALENDAR,
    **{name: dtype for name, dtype in POSITIONS.items() if name != "day"},
}
"""Columns of the table ``calendar``, one row per calendar and day."""

FISCAL_MONTH: dict[str, pl.DataType] = {
    "month_no": pl.Int32(),
    "month_start_on": pl.Date(),
    "month_end_on": pl.Date(),
}
"""Columns of the table ``fiscal_month``: the company's months, for days that no calendar of a night reaches."""

MONTHS_KNOWN = (DATE_MIN, DATE_MAX)
"""Days whose fiscal months are listed: all that a business date may be."""

NODE_CALENDAR: dict[str, pl.DataType] = {"node_key": pl.String(), "calendar": pl.String()}
"""Columns of the table ``node_calendar``: nodes whose working days, and those of all below, differ."""


@dataclass(frozen=True)
class NamedCalendar:
    """A calendar in use: its name, what it is made of, and the nodes that state it (none: the company)."""

    name: str
    calendar: WorkCalendar
    overrides: CalendarOverrides
    nodes: tuple[str, ...] = ()

    def between(self, first: date, last: date) -> pl.DataFrame:
        """Its days; columns ``CALENDAR``.

        Raises:
            ConfigError: see :func:`flows.warehouse.calendar.working_day_calendar`.
        """
        try:
            return working_day_calendar(
                first,
                last,
                self.calendar.country,
                subdivision=self.calendar.subdivision,
                working_days=self.overrides.working_days,
                holidays_off=self.overrides.holidays,
            )
        except ConfigError as error:
            whose = f"nodes.{', '.join(self.nodes)}" if self.nodes else self.name
            raise ConfigError([f"settings.yaml: calendar.{whose}: {fault}" for fault in error.faults]) from error


def calendars_of(config: Config) -> tuple[NamedCalendar, ...]:
    """The company's calendar, then those of its nodes; nodes of the same calendar share one."""
    settings = config.settings.calendar
    company = NamedCalendar(_name(settings), settings, config.calendar)
    others: dict[str, NamedCalendar] = {}
    for node, calendar in sorted(settings.nodes.items()):
        name = _name(calendar)
        nodes = (*(others[name].nodes if name in others else ()), node)
        others[name] = NamedCalendar(name, calendar, config.node_overrides.get(node, CalendarOverrides()), nodes)
    same = others.pop(company.name, None)
    return (company if same is None else NamedCalendar(company.name, settings, config.calendar, same.nodes),) + tuple(
        others.values()
    )


def write_calendars(
    workspace: Workspace, as_of: date, calendars: Sequence[NamedCalendar], fiscal: FiscalCalendar
) -> tuple[Path, Path, Path]:
    """Write ``calendar``, ``node_calendar`` and ``fiscal_month``.

    Days are those of all business dates of the assembled change log (``build/log``).

    Raises:
        ConfigError: a country or subdivision is unknown, or a day is both worked and off.
    """
    first, last = calendar_range(fiscal, first_business_date(workspace), as_of, last_planned_date(workspace))
    return (
        write_input(workspace, "calendar", calendar_table(calendars, fiscal, first, last)),
        write_input(workspace, "node_calendar", node_calendar_table(calendars)),
        write_input(workspace, "fiscal_month", fiscal_months(fiscal)),
    )


def calendar_table(calendars: Sequence[NamedCalendar], fiscal: FiscalCalendar, first: date, last: date) -> pl.DataFrame:
    """The table ``calendar``: every calendar from ``first`` to ``last``, the first of them the company's.

    Raises:
        ConfigError: see :func:`flows.warehouse.calendar.working_day_calendar`.
    """
    positions = fiscal_positions(fiscal, first, last)
    frames, faults = [], []
    for number, one in enumerate(calendars):
        try:
            days = one.between(first, last)
        except ConfigError as error:
            faults += error.faults
        else:
            frames.append(days.with_columns(calendar=pl.lit(one.name), is_company=pl.lit(number == 0)))
    if faults:
        raise ConfigError(faults)
    joined = pl.concat(frames).join(positions, on="day", how="left", maintain_order="left")
    return joined.select(pl.col(name).cast(dtype) for name, dtype in CALENDARS.items())


def node_calendar_table(calendars: Sequence[NamedCalendar]) -> pl.DataFrame:
    """The table ``node_calendar``."""
    rows = sorted((node, one.name) for one in calendars for node in one.nodes)
    return pl.DataFrame(rows, schema=NODE_CALENDAR, orient="row")


def fiscal_months(fiscal: FiscalCalendar) -> pl.DataFrame:
    """The table ``fiscal_month``: the fiscal months of ``MONTHS_KNOWN``, numbered."""
    first, last = (fiscal.year_of(day) for day in MONTHS_KNOWN)
    months = (month for year in range(first, last + 1) for month in fiscal.periods(year, "month"))
    rows = [(fiscal.month_number(month), month.start_on, month.end_on) for month in months]
    return pl.DataFrame(rows, schema=FISCAL_MONTH, orient="row")


def fiscal_positions(fiscal: FiscalCalendar, first: date, last: date) -> pl.DataFrame:
    """The fiscal periods of every day from ``first`` to ``last``; columns ``POSITIONS``."""
    rows = []
    for year in range(fiscal.year_of(first), fiscal.year_of(last) + 1):
        by_kind = {kind: list(fiscal.periods(year, kind)) for kind in PERIOD_KINDS}
        [whole] = by_kind["year"]
        day = max(whole.start_on, first)
        while day <= min(whole.end_on, last):
            now = {kind: next(one for one in by_kind[kind] if day <= one.end_on) for kind in PERIOD_KINDS}
            edges = [edge for kind in PERIOD_KINDS for edge in (now[kind].start_on, now[kind].end_on)]
            rows.append((day, *edges, year, *(now[kind].number for kind in PERIOD_KINDS if kind != "year")))
            day += timedelta(days=1)
    return pl.DataFrame(rows, schema=POSITIONS, orient="row")


def calendar_range(
    fiscal: FiscalCalendar, first_business_date: date | None, as_of: date, last_planned: date | None = None
) -> tuple[date, date]:
    """First and last day of the calendars of a night: whole fiscal years, so that every period is known whole.

    From the fiscal year of 1 January of the year of the first business date, at least ``YEARS_BACK`` years before
    ``as_of``, to that of 31 December of the year after ``as_of``, or of the last day planned (``YEARS_AHEAD`` at most).
    """
    first = date(min(as_of.year - YEARS_BACK, (first_business_date or as_of).year), 1, 1)
    planned = min(last_planned or as_of, date(as_of.year + YEARS_AHEAD, 12, 31))
    last = max(date(as_of.year + 1, 12, 31), planned)
    return (
        fiscal.periods(fiscal.year_of(first), "year")[0].start_on,
        fiscal.periods(fiscal.year_of(last), "year")[0].end_on,
    )


def _name(calendar: WorkCalendar) -> str:
    """CN, US-CA, or CN with the file of its own days."""
    place = "-".join(part for part in (calendar.country, calendar.subdivision) if part)
    return place if calendar.overrides is None else f"{place} ({calendar.overrides})"
