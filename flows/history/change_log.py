"""The change log on disk: its columns, which nights it has, and its rows as a query.

``history/<entity>/<as_of>.parquet`` holds the rows that one night recorded. ``_valid_from`` is that night: what was
known when. ``_observed_on`` is the day that the export shows, the same day but for dated exports. A key has at most one
row for a night and an observed day.

``_change`` is ``new``, ``changed`` or ``deleted`` where a row differs from the state of the day before. A snapshot that
arrives late changes what later ones differ from, so that some of these have to be said again: ``restated`` is a row
that held from then on (also: one of an addition that repeats what was known), ``withdrawn`` a key that was gone.

The row hash is DuckDB's ``hash()`` over the entity's schema columns in their order. It is fast (10 M rows in seconds)
but DuckDB does not promise it for ever, and it covers the columns of its day. Every file therefore carries a signature
in its metadata: the hash of a fixed row of all types, and the columns. Where a file's signature is not today's, its
hashes are not trusted but computed anew from its columns; an upgrade or a new column is slower once and never floods
the log with changes.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import duckdb
import polars as pl

from flows.errors import PermanentError
from flows.workspace import Workspace
from schemas.registry import ENTITIES

LOG_COLUMNS: dict[str, pl.DataType] = {
    "_change": pl.String(),
    "_valid_from": pl.Date(),
    "_observed_on": pl.Date(),
    "_source": pl.String(),
    "_file": pl.String(),
    "_row": pl.Int64(),
    "_row_hash": pl.UInt64(),
}
"""Columns of the change log after the entity's own."""

ACCOUNTING = "_source_file"
"""Folder of the nights' accounting within ``history``; a night exists once its accounting does."""

EMPTY_FILE = "00000000.parquet"
"""A file without rows in every ``build/log/<entity>``: the entity always has all its columns."""

GONE = "_change in ('deleted', 'withdrawn')"
"""Condition of a row that says that its key is not there."""

SETTLED_FILE = "settled.parquet"
"""The history of an entity in ``build/log`` where days came in late: one file in place of those of the nights."""

_SIGNATURE_KEY = "planloop_row_hash"
_DAYS_KEY = "planloop_days"
_PROBE = (
    "hash('planloop', '甲', 1.25::decimal(18,2), 1.25::decimal(18,8), timestamp '2020-02-29 23:59:59.123456', "
    "date '2020-02-29', true, 0.1::double, 7::bigint, 7::integer, null)"
)


@dataclass(frozen=True)
class EntityColumns:
    """The columns of one entity as DuckDB sees them."""

    entity: str
    types: dict[str, str]
    key: tuple[str, ...]

    @classmethod
    def of(cls, entity: str) -> "EntityColumns":
        """The columns that the schema of ``entity`` states."""
        schema = ENTITIES[entity]
        return cls(entity, {name: duckdb_type(dtype) for name, dtype in schema.dtypes().items()}, schema.key())

    @property
    def names(self) -> str:
        """All schema columns, quoted, as a select list."""
        return ", ".join(quoted(name) for name in self.types)

    @property
    def typed(self) -> str:
        """All schema columns, each cast to its stated type."""
        return ", ".join(f"{quoted(name)}::{kind} as {quoted(name)}" for name, kind in self.types.items())

    @property
    def key_names(self) -> str:
        """The key columns, quoted, as a select list."""
        return ", ".join(quoted(name) for name in self.key)

    @property
    def key_typed(self) -> str:
        """The key columns, each cast to its stated type."""
        return ", ".join(f"{quoted(name)}::{self.types[name]} as {quoted(name)}" for name in self.key)

    @property
    def row_hash(self) -> str:
        """The expression of ``_row_hash``."""
        return f"hash({self.names})"

    def signature(self, connection: duckdb.DuckDBPyConnection) -> str:
        """What a row hash of today depends on: the engine's hash function, the columns and their types."""
        probe = connection.execute(f"select {_PROBE}").fetchone()
        columns = hashlib.sha256(repr(list(self.types.items())).encode()).hexdigest()[:16]
        return f"{probe[0] if probe else None}-{columns}"


def quoted(name: str) -> str:
    """A column name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A text as SQL reads it."""
    return "'" + str(value).replace("'", "''") + "'"


def duckdb_type(dtype: pl.DataType) -> str:
    """The DuckDB type that stores a polars type of a schema.

    Raises:
        PermanentError: a schema uses a type that the change log has no storage for.
    """
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    simple = {
        "String": "VARCHAR",
        "Date": "DATE",
        "Datetime": "TIMESTAMP",
        "Boolean": "BOOLEAN",
        "Float64": "DOUBLE",
        "Int64": "BIGINT",
        "Int32": "INTEGER",
        "UInt64": "UBIGINT",
    }
    name = dtype.base_type().__name__
    if name not in simple:
        raise PermanentError(f"schemas: expected a column type among {', '.join(simple)} or Decimal, found {dtype}")
    return simple[name]


@contextmanager
def open_engine(workspace: Workspace, *, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory engine with a memory limit; what does not fit is spilled to ``build/spill``."""
    spill = workspace.build / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
        }
    ) as connection:
        yield connection


def nights(workspace: Workspace) -> list[date]:
    """The nights of the change log, oldest first."""
    return sorted(date.fromisoformat(path.stem) for path in (workspace.history / ACCOUNTING).glob("????-??-??.parquet"))


def night_files(workspace: Workspace, entity: str, as_of: date, *, including: bool = False) -> list[Path]:
    """The files of ``entity`` from nights before ``as_of`` (``including``: and of ``as_of`` itself), oldest first."""
    found = []
    for path in sorted((workspace.history / entity).glob("????-??-??.parquet")):
        night = date.fromisoformat(path.stem)
        if night < as_of or (including and night == as_of):
            found.append(path)
    return found


def empty_log(entity: str) -> pl.DataFrame:
    """A change log of ``entity`` without rows."""
    return pl.DataFrame(schema=ENTITIES[entity].dtypes() | LOG_COLUMNS)


def log_rows(
    connection: duckdb.DuckDBPyConnection, columns: EntityColumns, files: Sequence[Path], selected: str
) -> str:
    """All rows of some files of the change log as a select; hashes of another signature are computed anew.

    Besides the columns of the log a row has ``_path``, the file it is read from.
    """
    if not files:
        types = {
            **columns.types,
            **{name: duckdb_type(dtype) for name, dtype in LOG_COLUMNS.items()},
            "_path": "VARCHAR",
        }
        nothing = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in types.items())
        return f"select {selected} from (select {nothing}) where false"
    own = columns.signature(connection)
    notes = _notes(connection, files)
    trusted = [path for path in files if notes[path].get(_SIGNATURE_KEY) == own]
    outdated = [path for path in files if path not in trusted]
    parts = []
    if dated := [path for path in trusted if _DAYS_KEY in notes[path]]:
        parts.append(f"select {selected} from {_read(dated)}")
    # Nights of before there were dated exports: each shows its own day.
    if undated := [path for path in trusted if _DAYS_KEY not in notes[path]]:
        parts.append(f"select {selected} from (select *, _valid_from as _observed_on from {_read(undated)})")
    if outdated:
        stored = _stored_columns(connection, outdated)
        typed = ", ".join(
            f"{quoted(name) if name in stored else 'null'}::{kind} as {quoted(name)}"
            for name, kind in columns.types.items()
        )
        observed = "coalesce(_observed_on, _valid_from)" if "_observed_on" in stored else "_valid_from"
        log = f"_change, _valid_from, {observed} as _observed_on, _source, _file, _row, _path"
        rows = f"select {typed}, {log} from {_read(outdated)}"
        parts.append(f"select {selected} from (select *, {columns.row_hash} as _row_hash from ({rows}))")
    return " union all ".join(parts)


class Days(StrEnum):
    """Which days the rows of a file show; written into its metadata."""

    NIGHT = "night"
    """Its own night."""
    ORDERED = "ordered"
    """Other days, all of them after those of the files before it."""
    UNSETTLED = "unsettled"
    """Days that came in late or again: the state and the history follow only from all files together."""


def days_of(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> list[Days]:
    """Which days the rows of each file show."""
    notes = _notes(connection, files)
    return [Days(notes[path].get(_DAYS_KEY, Days.NIGHT)) for path in files]


def file_metadata(connection: duckdb.DuckDBPyConnection, columns: EntityColumns, days: Days) -> str:
    """The option of COPY that notes the signature of today's row hash, and the days shown, in a Parquet file."""
    notes = {_SIGNATURE_KEY: columns.signature(connection), _DAYS_KEY: days.value}
    return f"KV_METADATA {{{', '.join(f'{name}: {literal(note)}' for name, note in notes.items())}}}"


def _notes(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """What the metadata of each file says, by key."""
    notes: dict[Path, dict[str, str]] = {path: {} for path in files}
    if files:
        rows = connection.execute(
            "select file_name, decode(key), decode(value) from parquet_kv_metadata(?) where decode(key) in (?, ?)",
            [[str(path) for path in files], _SIGNATURE_KEY, _DAYS_KEY],
        ).fetchall()
        for path, name, note in rows:
            notes[Path(path)][name] = note
    return notes


def _stored_columns(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> set[str]:
    return {row[0] for row in connection.execute(f"describe select * from {_read(files)}").fetchall()}


def _read(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(path) for path in files)}], union_by_name = true, filename = '_path')"
