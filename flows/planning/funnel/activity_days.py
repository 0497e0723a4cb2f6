"""Activity targets of a week: a month's whole units laid on its working days, so that days add up to the month."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from flows.config.plan.metrics import plan_metric
from flows.errors import ConfigError, PermanentError
from flows.warehouse.calendars import NamedCalendar

_WEEK = re.compile(r"(?P<year>\d{4})-?W(?P<week>\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True)
class WeekTarget:
    """What a rep has to do of one activity: on each day of the week, and in the months that the week is in."""

    user_id: str
    name: str
    metric: str
    days: dict[date, int]
    months: dict[date, int]


def spread(units: int, days: Sequence[date]) -> dict[date, int]:
    """Whole units over days in order: after each day as many as an even pace asks for, and not one too many."""
    due = [-(-units * number // len(days)) for number in range(len(days) + 1)]
    return {day: after - before for day, before, after in zip(days, due, due[1:], strict=False)}


def monday_of(week: str | None, otherwise: date) -> date:
    """First day of a week: ``2026-W47``, or that of a day such as 2026-11-20.

    Raises:
        ConfigError: it is neither.
    """
    if week is None:
        return otherwise - timedelta(days=otherwise.weekday())
    try:
        if match := _WEEK.fullmatch(week):
            return date.fromisocalendar(int(match["year"]), int(match["week"]), 1)
        day = date.fromisoformat(week)
    except ValueError as error:
        raise ConfigError(
            [f"--week: expected a week such as 2026-W47 or a day such as 2026-11-20, found {week}"]
        ) from error
    return day - timedelta(days=day.weekday())


def read_week(
    marts: Path, week: str | None, person: str | None, calendars: Sequence[NamedCalendar] = ()
) -> tuple[date, list[WeekTarget]]:
    """Targets of reps for a week from a published version (read-only): Monday, and one entry per rep and activity.

    Args:
        marts: the published database.
        week: by default that of the published night.
        person: user_id or name; by default every rep.
        calendars: those of nodes that work other days than the company.

    Raises:
        PermanentError: no night has been published.
        ConfigError: nobody is called ``person``, or ``week`` is none.
    """
    if not marts.is_file():
        raise PermanentError(f"expected a published night at {marts}, found none; run: planloop refresh")
    with duckdb.connect(str(marts), read_only=True) as connection:
        night = connection.execute("select max(as_of_date) from marts.dim_date").fetchall()[0][0]
        monday = monday_of(week, night)
        people = connection.execute(
            "select user_id, name from marts.dim_node where is_current and node_kind = 'rep' and user_id is not null "
            "and ($1 is null or user_id = $1 or name = $1) order by user_id",
            [person],
        ).fetchall()
        if not people:
            raise ConfigError(
                [f"--person: expected the user_id or name of a rep, found {person!r}; dim_node lists them"]
            )
        targets = connection.execute(
            """
            select targets.metric, nodes.user_id, targets.period_start_on, cast(targets.target_base as bigint)
            from marts.mart_target as targets
            inner join marts.dim_node as nodes on targets.node_key = nodes.node_key and nodes.is_current
            where targets.period_kind = 'month' and targets.is_measured_against and targets.target_base is not null
                and nodes.user_id = any($1) and targets.period_start_on in (
                    select month_start_on from marts.dim_date where day between $2 and $2 + interval 6 days
                )
            """,
            [[user for user, _ in people], monday],
        ).fetchall()
        months = _days(connection, {start for _, _, start, _ in targets})
        own = _own_calendars(connection, calendars)
    worked: dict[tuple[str, date], list[date]] = {}
    names = dict(people)
    found: dict[tuple[str, str], WeekTarget] = {}
    for metric, user, start, units in sorted(targets):
        measured = plan_metric(metric)
        if measured is None or not measured.is_activity:
            continue
        one = found.setdefault((user, metric), WeekTarget(user, names[user], metric, {}, {}))
        one.months[start] = units
        calendar = own.get(f"rep:{user}")
        place = (calendar.name if calendar else "", start)
        if place not in worked:
            worked[place] = _worked(months[start], calendar)
        days = spread(units, worked[place])
        one.days.update({day: n for day, n in days.items() if monday <= day < monday + timedelta(days=7)})
    return monday, [found[key] for key in sorted(found)]


def _days(connection: duckdb.DuckDBPyConnection, months: set[date]) -> dict[date, dict[date, bool]]:
    """The days of months, and whether the company works on them."""
    rows = connection.execute(
        "select month_start_on, day, is_working_day from marts.dim_date where month_start_on = any($1) order by day",
        [sorted(months)],
    ).fetchall()
    found: dict[date, dict[date, bool]] = {month: {} for month in months}
    for month, day, is_working in rows:
        found[month][day] = is_working
    return found


def _worked(month: dict[date, bool], own: NamedCalendar | None) -> list[date]:
    """The days of a month that are worked by the calendar, else by the company's; all of one that has none."""
    if own is not None:
        days = own.between(min(month), max(month))
        month = dict(days.select("day", "is_working_day").iter_rows())
    return [day for day, is_working in month.items() if is_working] or list(month)


def _own_calendars(
    connection: duckdb.DuckDBPyConnection, calendars: Sequence[NamedCalendar]
) -> dict[str, NamedCalendar]:
    """The calendar of each node that has one of its own, or stands below one that has; the nearest counts."""
    stated = {node: one for one in calendars for node in one.nodes}
    if not stated:
        return {}
    rows = connection.execute("select node_key, parent_node_key from marts.dim_node where is_current").fetchall()
    parents: dict[str, str | None] = dict(rows)
    found = {}
    for node in parents:
        above: str | None = node
        while above is not None and above not in stated:
            above = parents.get(above)
        if above is not None:
            found[node] = stated[above]
    return found
