"""Snoozed deals: who put one aside, from which night on, until when and why.

A snooze is a row that is written once; putting a deal aside anew, or taking it up again, ends the earlier row on a day.
So the snoozes of any past night can be told, and a night that has been published is never changed: a snooze holds from
the night after the newest published one at the earliest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Column, Date, DateTime, Engine, Integer, String, Table, Update, desc, func, or_, select, update

from flows.errors import ConfigError, PermanentError
from flows.state.database import metadata
from flows.state.runs import run

snooze = Table(
    "deal_snooze",
    metadata,
    Column("snooze_no", Integer, primary_key=True, autoincrement=True),
    Column("opportunity_id", String(255), nullable=False, index=True),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),
    Column("reason", String(4000), nullable=False),
    Column("snoozed_by", String(255), nullable=False),
    Column("snoozed_at", DateTime, nullable=False),
    Column("ended_on", Date),
    Column("ended_by", String(255)),
)
"""A row holds on the nights from ``from_on`` until before ``until_on``, or before ``ended_on`` where it is earlier."""


@dataclass(frozen=True)
class Snooze:
    """One deal put aside."""

    opportunity_id: str
    from_on: date
    until_on: date
    reason: str
    snoozed_by: str
    snoozed_at: datetime
    ended_on: date | None
    ended_by: str | None


def next_night(engine: Engine, today: date) -> date:
    """The first night that something said today can count in: today's, or the one after the newest that has begun.

    A night that is under way, or was killed and will go on, has read the snoozes already.
    """
    begun = run.c.state.in_(("published", "running", "killed"))
    with engine.connect() as connection:
        newest = connection.execute(select(func.max(run.c.as_of_date)).where(begun)).scalar_one()
    return max(today, date.fromordinal(newest.toordinal() + 1)) if newest else today


def put_aside(
    engine: Engine, opportunity_id: str, *, until: date, reason: str, by: str, today: date, now: datetime
) -> Snooze:
    """Snooze a deal; a snooze that holds already is replaced.

    Args:
        engine: the operational state.
        opportunity_id: a deal that is open.
        until: the night on which it is back on the list.
        reason: why it may wait.
        by: who says so.
        today: the company's date.
        now: the moment, UTC.

    Raises:
        ConfigError: ``until`` has passed, or comes before the next night; or no reason is given.
    """
    start = next_night(engine, today)
    if until <= start:
        raise ConfigError([f"Expected --until after the next night, which is {start}; found {until}"])
    if not reason.strip():
        raise ConfigError(["Expected a reason, for those who will ask why nobody pushes this deal; found none"])
    made = Snooze(opportunity_id, start, until, reason.strip(), by, now, None, None)
    with engine.begin() as connection:
        connection.execute(_holding(opportunity_id, start).values(ended_on=start, ended_by=by))
        connection.execute(snooze.insert().values(**vars(made)))
    return made


def take_up(engine: Engine, opportunity_id: str, *, by: str, today: date) -> date:
    """End the snooze of a deal; returns the night on which it is back on the list.

    Raises:
        PermanentError: it is not snoozed.
    """
    start = next_night(engine, today)
    with engine.begin() as connection:
        ended = connection.execute(_holding(opportunity_id, start).values(ended_on=start, ended_by=by))
    if not ended.rowcount:
        raise PermanentError(
            f"Expected a deal that is snoozed, found no snooze of {opportunity_id}; see planloop deals list --snoozed"
        )
    return start


def snoozes_on(engine: Engine, night: date) -> list[dict[str, object]]:
    """The snoozes that hold on a night, at most one a deal: the same for the night and for its rebuild."""
    names = ("opportunity_id", "from_on", "until_on", "reason", "snoozed_by")
    query = (
        select(*(snooze.c[name] for name in names))
        .where(snooze.c.from_on <= night, snooze.c.until_on > night)
        .where(or_(snooze.c.ended_on.is_(None), snooze.c.ended_on > night))
        .order_by(snooze.c.snooze_no)
    )
    with engine.connect() as connection:
        found = {row["opportunity_id"]: dict(row) for row in connection.execute(query).mappings()}
    return list(found.values())


def snoozes(engine: Engine) -> Sequence[Snooze]:
    """All snoozes ever made, newest first."""
    columns = [snooze.c[name] for name in Snooze.__dataclass_fields__]
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(desc(snooze.c.snooze_no)))
        return [Snooze(**row._mapping) for row in rows]


def _holding(opportunity_id: str, start: date) -> Update:
    """Those rows of a deal that hold on ``start`` or a later night, to be ended."""
    return (
        update(snooze)
        .where(snooze.c.opportunity_id == opportunity_id, snooze.c.until_on > start)
        .where(or_(snooze.c.ended_on.is_(None), snooze.c.ended_on > start))
    )
