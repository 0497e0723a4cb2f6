"""What the change log knows of an entity before a night, for those who look names and ids up in it."""
# ruff: noqa: S608 (statements are composed of the schemas' own column names)

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from flows.config.settings import Engine
from flows.history.accounting import recorded_night
from flows.history.change_log import EntityColumns, night_files, nights, open_engine, quoted
from flows.history.commit import recover
from flows.history.state import state_query
from flows.ingest.settled.memory import LastNight
from flows.workspace import Workspace
from schemas.registry import ENTITIES


def last_known(workspace: Workspace, before: date, *, engine: Engine) -> Callable[[str, Sequence[str]], pl.DataFrame]:
    """A function that reads the state before a night: entity and columns in, rows with these and ``_source`` out."""

    def read(entity: str, columns: Sequence[str]) -> pl.DataFrame:
        known = EntityColumns.of(entity)
        files = night_files(workspace, entity, before)
        if not files:
            dtypes = {**ENTITIES[entity].dtypes(), "_source": pl.String()}
            return pl.DataFrame(schema={name: dtypes[name] for name in (*columns, "_source")})
        with open_engine(workspace, memory_limit=engine.memory_limit, threads=engine.threads) as connection:
            state = state_query(connection, known, files)
            selected = ", ".join(quoted(name) for name in (*columns, "_source"))
            return connection.execute(f"select {selected} from ({state})").pl()

    return read


def last_night(workspace: Workspace, before: date) -> LastNight | None:
    """The newest night recorded before one; a night whose commit was interrupted is recorded."""
    recover(workspace)
    night = max((night for night in nights(workspace) if night < before), default=None)
    if night is None:
        return None
    files = recorded_night(workspace, night).filter(pl.col("status") == "accepted")
    accepted = files.group_by("source").agg("sha256")
    return LastNight(night, dict(accepted.iter_rows()))
