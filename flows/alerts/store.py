"""Alerts in the operational state: what is open, the append-only events, and the nights that were taken in.

``alert`` is the state as of the last night; ``alert_event`` is the record that tells the state of any past night.
All dates are as-of dates: a rebuilt night sees exactly what it saw then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import sqlalchemy as sa
from sqlalchemy import JSON, CheckConstraint, Column, Date, Float, ForeignKey, Integer, String, Table, UniqueConstraint

from flows.alerts.lifecycle import OpenAlert, SubjectKey, Transition
from flows.state.database import metadata
from flows.warehouse.inputs import ALERT

alert = Table(
    "alert",
    metadata,
    Column("alert_id", String(500), primary_key=True),
    Column("rule_id", String(100), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("node_key", String(300), nullable=False),
    Column("node_name", String(4000), nullable=False),
    Column("node_kind", String(20), nullable=False),
    Column("period_kind", String(10), nullable=False),
    Column("period_start_on", Date, nullable=False),
    Column("state", String(10), CheckConstraint("state in ('open', 'resolved')"), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("updated_on", Date, nullable=False),
    Column("resolved_on", Date),
    Column("resolved_reason", String(20)),
    Column("recipients", JSON, nullable=False),
    Column("measured", Float),
    Column("expected", Float),
)

alert_event = Table(
    "alert_event",
    metadata,
    Column("event_no", Integer, primary_key=True, autoincrement=True),
    Column("alert_id", String(500), ForeignKey("alert.alert_id"), nullable=False),
    Column("as_of_date", Date, nullable=False, index=True),
    Column("run_id", String(20), nullable=False),
    Column("event", String(10), CheckConstraint("event in ('opened', 'worsened', 'resolved')"), nullable=False),
    Column("reason", String(20)),
    Column("severity", String(10), nullable=False),
    Column("measured", Float),
    Column("expected", Float),
    Column("recipients", JSON, nullable=False),
    UniqueConstraint("alert_id", "event"),
)

alert_night = Table(
    "alert_night",
    metadata,
    Column("as_of_date", Date, primary_key=True),
    Column("run_id", String(20), nullable=False),
)


@dataclass(frozen=True)
class Recorded:
    """A transition with the alert it belongs to and everybody who is told.

    Attributes:
        told: address → language of those who are told of this step.
    """

    alert_id: str
    transition: Transition
    told: Mapping[str, str]


def open_alerts(connection: sa.Connection) -> list[OpenAlert]:
    """Alerts that are open now."""
    rows = connection.execute(sa.select(alert).where(alert.c.state == "open")).mappings()
    return [
        OpenAlert(
            **{name: row[name] for name in OpenAlert.__dataclass_fields__ if name != "recipients"},
            recipients=tuple(row["recipients"].items()),
        )
        for row in rows
    ]


def alert_rows(engine: sa.Engine, before: date) -> pl.DataFrame:
    """The lifecycle as it stood when the night ``before`` began: events of earlier nights, with the columns of `ALERT`.

    The same for a night and for its rebuild, whatever happened afterwards.
    """
    query = (
        sa.select(alert, alert_event.c.as_of_date, alert_event.c.event, *_event_values())
        .join(alert, alert.c.alert_id == alert_event.c.alert_id)
        .where(alert_event.c.as_of_date < before)
        .order_by(alert_event.c.as_of_date, alert_event.c.event_no)
    )
    rows: dict[str, dict[str, object]] = {}
    with engine.connect() as connection:
        for event in connection.execute(query).mappings():
            is_resolved = event["event"] == "resolved"
            row = rows.setdefault(event["alert_id"], {name: event[name] for name in ALERT})
            row |= {
                "state": "resolved" if is_resolved else "open",
                "severity": event["event_severity"],
                "updated_on": event["as_of_date"],
                "resolved_on": event["as_of_date"] if is_resolved else None,
                "recipients": ", ".join(event["event_recipients"]),
                "measured": event["event_measured"],
                "expected": event["event_expected"],
            }
    return pl.DataFrame([rows[alert_id] for alert_id in sorted(rows)], schema=ALERT, orient="row")


def list_alerts(engine: sa.Engine, *, include_resolved: bool = False) -> list[dict[str, object]]:
    """Alerts as they stand, newest first, for the command line."""
    query = sa.select(alert).order_by(alert.c.updated_on.desc(), alert.c.alert_id)
    if not include_resolved:
        query = query.where(alert.c.state == "open")
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def last_night(connection: sa.Connection) -> date | None:
    """Newest as-of date whose deviations were taken into the lifecycle."""
    return connection.execute(sa.select(sa.func.max(alert_night.c.as_of_date))).scalar()


def record_night(connection: sa.Connection, as_of: date, run_id: str) -> None:
    """Remember that the deviations of this night were taken in; a rerun keeps the first run's id."""
    known = connection.execute(sa.select(alert_night).where(alert_night.c.as_of_date == as_of)).first()
    if known is None:
        connection.execute(alert_night.insert().values(as_of_date=as_of, run_id=run_id))


def next_alert_id(connection: sa.Connection, key: SubjectKey) -> str:
    """Id of a new alert: what it is about and how many there were before it, so that a replay gives the same."""
    rule_id, metric, node_key, period_kind, period_start_on = key
    about = {"rule_id": rule_id, "metric": metric, "node_key": node_key, "period_kind": period_kind}
    same = [alert.c[name] == value for name, value in about.items()]
    count = connection.execute(
        sa.select(sa.func.count()).select_from(alert).where(*same, alert.c.period_start_on == period_start_on)
    ).scalar_one()
    return f"{rule_id}|{metric}|{node_key}|{period_kind}|{period_start_on.isoformat()}|{count + 1}"


def record_steps(connection: sa.Connection, steps: Iterable[Recorded], as_of: date, run_id: str) -> None:
    """Write the new state of each alert and its event."""
    for step in steps:
        recipients = _record_state(connection, step, as_of)
        connection.execute(
            alert_event.insert().values(
                alert_id=step.alert_id,
                as_of_date=as_of,
                run_id=run_id,
                event=step.transition.event,
                reason=step.transition.reason,
                severity=step.transition.severity,
                measured=step.transition.about.measured,
                expected=step.transition.about.expected,
                recipients=recipients,
            )
        )


def _record_state(connection: sa.Connection, step: Recorded, as_of: date) -> dict[str, str]:
    """State of the alert after the step; everybody who was ever told of it, with the language."""
    transition, about = step.transition, step.transition.about
    known = dict(transition.alert.recipients) if transition.alert else {}
    recipients = {**known, **step.told}
    is_resolved = transition.event == "resolved"
    values = {
        "state": "resolved" if is_resolved else "open",
        "severity": transition.severity,
        "updated_on": as_of,
        "resolved_on": as_of if is_resolved else None,
        "resolved_reason": transition.reason,
        "recipients": recipients,
        "measured": about.measured,
        "expected": about.expected,
    }
    if transition.event == "opened":
        subject = ("rule_id", "metric", "node_key", "node_name", "node_kind", "period_kind", "period_start_on")
        fixed = {name: getattr(about, name) for name in subject}
        connection.execute(alert.insert().values(alert_id=step.alert_id, opened_on=as_of, **fixed, **values))
    else:
        connection.execute(alert.update().where(alert.c.alert_id == step.alert_id).values(**values))
    return recipients


def _event_values() -> list[sa.ColumnElement[object]]:
    names = ("severity", "measured", "expected", "recipients")
    return [alert_event.c[name].label(f"event_{name}") for name in names]
