"""The outbox: complete messages, written together with the state change that they tell of, and sent afterwards."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, DateTime, Index, Integer, LargeBinary, String, Table, Text

from flows.state.database import metadata

Kind = Literal["alert", "resolved", "operator"]

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", String(250), primary_key=True),
    Column("run_id", String(20), nullable=False),
    Column("as_of_date", Date, nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("kind", String(10), CheckConstraint("kind in ('alert', 'resolved', 'operator')"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(10), CheckConstraint("state in ('pending', 'sent', 'refused')"), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("created_at", DateTime, nullable=False),
    Column("sent_at", DateTime),
    Index("outbox_state", "state", "created_at"),
)


@dataclass(frozen=True)
class Message:
    """One complete mail.

    Attributes:
        message_id: value of the Message-ID header; a function of what the mail tells, so that a rerun makes the same.
        payload: the RFC 822 bytes as they go over the wire.
    """

    message_id: str
    as_of: date
    recipient: str
    kind: Kind
    subject: str
    payload: bytes


def enqueue(connection: sa.Connection, message: Message, run_id: str, now: datetime) -> bool:
    """Put a message in the outbox unless it is there already, sent or not; says whether it is new.

    Args:
        now: aware; stored as UTC.
    """
    known = sa.select(outbox.c.message_id).where(outbox.c.message_id == message.message_id)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(
        outbox.insert().values(
            message_id=message.message_id,
            run_id=run_id,
            as_of_date=message.as_of,
            recipient=message.recipient,
            kind=message.kind,
            subject=message.subject,
            payload=message.payload,
            state="pending",
            attempts=0,
            created_at=stored(now),
        )
    )
    return True


def pending(engine: sa.Engine) -> list[Message]:
    """Messages that no server has accepted yet, oldest first."""
    query = (
        sa.select(outbox)
        .where(outbox.c.state == "pending")
        .order_by(outbox.c.as_of_date, outbox.c.created_at, outbox.c.message_id)
    )
    with engine.connect() as connection:
        return [
            Message(row.message_id, row.as_of_date, row.recipient, row.kind, row.subject, row.payload)
            for row in connection.execute(query)
        ]


def mark_sent(engine: sa.Engine, message_id: str, now: datetime) -> None:
    """The server took it."""
    _update(engine, message_id, state="sent", sent_at=stored(now), last_error=None)


def mark_refused(engine: sa.Engine, message_id: str, error: str) -> None:
    """The server will never take it; it is kept with the server's words and not tried again."""
    _update(engine, message_id, state="refused", last_error=error)


def mark_failed(engine: sa.Engine, message_id: str, error: str) -> None:
    """Not this time; it stays pending."""
    _update(engine, message_id, last_error=error)


def stored(moment: datetime) -> datetime:
    """An aware moment as the state database keeps it: UTC without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _update(engine: sa.Engine, message_id: str, **values: object) -> None:
    change = outbox.update().where(outbox.c.message_id == message_id)
    with engine.begin() as connection:
        connection.execute(change.values(attempts=outbox.c.attempts + 1, **values))
