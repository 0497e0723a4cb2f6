"""The register of runs: which night was run when, by what code and configuration, and how it ended."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Column, Date, DateTime, Engine, Integer, String, Table, desc, func, insert, select, update

from flows.state.database import metadata

run = Table(
    "run",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("as_of_date", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("is_rebuild", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("exit_code", Integer),
    Column("message", String),
    Column("code_fingerprint", String, nullable=False),
    Column("config_fingerprint", String, nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
)
"""state: running, published, refused, failed or killed. Times are UTC, without zone."""


@dataclass(frozen=True)
class Run:
    """One line of the register."""

    run_id: str
    as_of_date: date
    is_rebuild: bool
    state: str
    exit_code: int | None
    message: str | None
    started_at: datetime
    finished_at: datetime | None


def next_run_id(engine: Engine, as_of: date) -> str:
    """The id of the next run of a date: the date and its number among the runs of that date."""
    with engine.connect() as connection:
        newest = connection.execute(select(func.max(run.c.number)).where(run.c.as_of_date == as_of)).scalar_one()
    return f"{as_of:%Y%m%d}-{(newest or 0) + 1:02d}"


def start(
    engine: Engine,
    run_id: str,
    as_of: date,
    *,
    is_rebuild: bool,
    code_fingerprint: str,
    config_fingerprint: str,
    now: datetime,
) -> None:
    """Register a run as running, be it a new one or one that was killed and goes on."""
    with engine.begin() as connection:
        known = connection.execute(
            update(run)
            .where(run.c.run_id == run_id)
            .values(state="running", finished_at=None, exit_code=None, message=None)
        )
        if not known.rowcount:
            connection.execute(
                insert(run).values(
                    run_id=run_id,
                    as_of_date=as_of,
                    number=int(run_id.rpartition("-")[2]),
                    is_rebuild=int(is_rebuild),
                    state="running",
                    code_fingerprint=code_fingerprint,
                    config_fingerprint=config_fingerprint,
                    started_at=now,
                )
            )


def finish(engine: Engine, run_id: str, *, state: str, exit_code: int, message: str | None, now: datetime) -> None:
    """Note how a run ended."""
    _set(engine, run_id, state=state, exit_code=exit_code, message=message, finished_at=now)


def mark_killed(engine: Engine, *, now: datetime) -> None:
    """Runs still called running belong to processes that died; call only while holding the lock of the night."""
    with engine.begin() as connection:
        connection.execute(update(run).where(run.c.state == "running").values(state="killed", finished_at=now))


def recent(engine: Engine, limit: int = 10) -> list[Run]:
    """The newest runs, newest first."""
    columns = [run.c[name] for name in Run.__dataclass_fields__]
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(desc(run.c.started_at), desc(run.c.number)).limit(limit))
        return [Run(**{**row._mapping, "is_rebuild": bool(row.is_rebuild)}) for row in rows]


def _set(engine: Engine, run_id: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(update(run).where(run.c.run_id == run_id).values(**values))
