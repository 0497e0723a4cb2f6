"""From the candidate to the files of a version: settle the DuckDB file, write each mart as Parquet, hash everything."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.errors import PermanentError, TransientError
from flows.publish.layout import BASIS, PARQUET, SCHEMA
from flows.publish.manifest import ColumnType, DatabaseFile, TableFile, file_sha256

NEWEST_STORAGE = (1, 2, 0)
"""Storage version that BI drivers from DuckDB 1.2 on can open."""


@contextmanager
def open_database(
    path: Path, *, read_only: bool, engine: Mapping[str, str | int] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file and close it again.

    Args:
        path: the file.
        read_only: open without the right to change it.
        engine: DuckDB settings such as ``memory_limit``, ``threads``, ``temp_directory``.

    Raises:
        PermanentError: it is absent, or not a DuckDB file.
        TransientError: another process holds it.
    """
    if not path.is_file():
        message = f"Expected a DuckDB file at {path}, found none."
        raise PermanentError(message)
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=dict(engine or {}))
    except duckdb.ConnectionException as error:
        message = f"Expected {path} to be closed in this process, found it open with other settings: {error}"
        raise PermanentError(message) from error
    except duckdb.Error as error:
        if "lock on file" in str(error):
            message = f"Expected {path} to be closed, found it in use: {error}. Close that program, then run again."
            raise TransientError(message) from error
        message = f"Expected a DuckDB file at {path}, found one that DuckDB cannot open: {error}"
        raise PermanentError(message) from error
    try:
        yield connection
    finally:
        connection.close()


def settle(path: Path) -> str:
    """Bring a candidate into one closed file without a write-ahead log, and check that it can be published.

    Returns:
        The storage version of the file.

    Raises:
        PermanentError: a newer storage version than BI drivers read; no mart; something else than marts and the tables
            that they show; a view that cannot be read under another name; a write-ahead log that stays.
    """
    with open_database(path, read_only=False) as connection:
        connection.execute("checkpoint")
        storage = storage_version(connection)
        relations = connection.execute(
            "select table_schema || '.' || table_name,"
            " table_schema = 'marts' or (table_schema = 'basis' and table_type = 'BASE TABLE')"
            " from information_schema.tables where table_catalog = current_database() order by 1"
        ).fetchall()
    wal = path.with_name(f"{path.name}.wal")
    if wal.exists():
        message = f"Expected no write-ahead log beside a checkpointed candidate, found {wal}. Delete build/, run again."
        raise PermanentError(message)
    numbers = tuple(int(number) for number in re.findall(r"\d+", storage))
    if not numbers or numbers > NEWEST_STORAGE:
        message = (
            f"Expected storage version v1.2.0 or older in {path} (BI drivers must open it), found {storage!r}. "
            "Set storage_compatibility_version: v1.2.0 for the candidate in the dbt profile."
        )
        raise PermanentError(message)
    foreign = [name for name, is_ours in relations if not is_ours]
    if foreign or not any(name.startswith(f"{SCHEMA}.") for name, _ in relations):
        found = f"also {', '.join(foreign)}" if foreign else "none"
        message = (
            f"Expected marts in {SCHEMA} of {path}, and only tables that they show in {BASIS}; found {found}."
            " Check the dbt models' schema."
        )
        raise PermanentError(message)
    unreadable = _unreadable_views(path)
    if unreadable:
        message = (
            f"Expected views in {path} that can be read whatever the file is called, found {'; '.join(unreadable)}. "
            "Have the dbt models name what they read by in_version()."
        )
        raise PermanentError(message)
    return storage


def _unreadable_views(path: Path) -> list[str]:
    """Views of the marts that fail when the file goes by another name, as it does for its readers, each with why."""
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach {_literal(path)} as renamed (read_only)")
        views = connection.execute(
            "select view_name from duckdb_views() where database_name = 'renamed' and not internal order by 1"
        ).fetchall()
        for (name,) in views:
            try:
                connection.execute(f'select * from renamed.{SCHEMA}."{name}" limit 0')  # noqa: S608 (names of marts)
            except duckdb.Error as error:
                found.append(f"{name}: {' '.join(str(error).split())[:200]}")
    return found


def storage_version(connection: duckdb.DuckDBPyConnection) -> str:
    """Storage version of the opened file, as DuckDB writes it (``v1.2.0+``)."""
    row = connection.execute(
        "select tags['storage_version'] from duckdb_databases() where database_name = current_database()"
    ).fetchone()
    return str(row[0]) if row else ""


def table_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Row counts of all marts."""
    return {name: _count(connection, f'{SCHEMA}."{name}"') for name in _columns(connection)}


def parquet_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Row count of a Parquet file."""
    return _count(connection, f"read_parquet({_literal(path)})")


def export_parquet(database: Path, folder: Path, engine: Mapping[str, str | int]) -> tuple[TableFile, ...]:
    """Write every mart to ``folder/parquet/<table>.parquet``, rows ordered by all columns from left to right.

    The order makes the bytes a function of the content alone, not of the order of insertion or the number of threads.
    All columns and not only the keys, because it needs no knowledge of keys and costs the same.
    """
    (folder / PARQUET).mkdir()
    tables = []
    with open_database(database, read_only=True, engine=engine) as connection:
        for name, columns in _columns(connection).items():
            file = folder / PARQUET / f"{name}.parquet"
            copy = (
                f'copy (select * from {SCHEMA}."{name}" order by all) to {_literal(file)}'  # noqa: S608 (names of marts)
                " (format parquet, compression zstd)"
            )
            connection.execute(copy)
            tables.append(
                TableFile(
                    name=name,
                    rows=_count(connection, f'{SCHEMA}."{name}"'),
                    columns=columns,
                    file=f"{PARQUET}/{file.name}",
                    bytes=file.stat().st_size,
                    sha256=file_sha256(file),
                )
            )
    return tuple(tables)


def describe_database(path: Path, storage: str) -> DatabaseFile:
    """The manifest's entry for the DuckDB file."""
    return DatabaseFile(file=path.name, bytes=path.stat().st_size, sha256=file_sha256(path), storage_version=storage)


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[ColumnType, ...]]:
    """Columns of every mart in order. No bound parameters: the first one imports pandas and pyarrow (1.6 CPU-s)."""
    rows = connection.execute(
        "select table_name, column_name, data_type from information_schema.columns"
        " where table_catalog = current_database() and table_schema = 'marts' order by table_name, ordinal_position"
    ).fetchall()
    columns: dict[str, list[ColumnType]] = {}
    for table, name, kind in rows:
        columns.setdefault(table, []).append(ColumnType(name=name, type=kind))
    return {table: tuple(found) for table, found in columns.items()}


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}").fetchone()  # noqa: S608 (names of marts, quoted paths)
    return int(row[0]) if row else 0


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
