"""The accepted rows of a night by the day that they show, and the changes of several days joined to one night's."""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from flows.history.change_log import Days, EntityColumns, days_of, file_metadata, literal, log_rows
from flows.history.durable import link_or_copy


def accepted_by_day(connection: duckdb.DuckDBPyConnection, folder: Path, as_of: date) -> dict[date, list[Path]]:
    """The files of accepted rows in a folder by the day that they show: the night's where they do not say."""
    found: dict[date, list[Path]] = {}
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return found
    days = {}
    if "_observed_on" in _columns(connection, files):
        query = f"select _path, max(_observed_on) from {_read(files)} group by all"
        days = {Path(path): day for path, day in connection.execute(query).fetchall()}
    for path in files:
        found.setdefault(days.get(path) or as_of, []).append(path)
    return found


def accepted_rows(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> dict[tuple[str, str], int]:
    """How many accepted rows lie on disk, by source and file."""
    if not files:
        return {}
    query = f"select _source, _file, count(*) from {_read(files)} group by all"
    return {(source, file): rows for source, file, rows in connection.execute(query).fetchall()}


def tells_deletions(connection: duckdb.DuckDBPyConnection, accepted: Mapping[date, Sequence[Path]]) -> bool:
    """Whether accepted rows tell that their key is gone."""
    files = [path for paths in accepted.values() for path in paths]
    return bool(files) and "_deleted" in _columns(connection, files)


def join_parts(
    connection: duckdb.DuckDBPyConnection, columns: EntityColumns, parts: Sequence[Path], target: Path
) -> None:
    """Make one file of the changes of several days, each of which was staged on its own; none where there are none.

    Where a later part says something else of a key on a day than an earlier one, the later one counts.
    """
    if len(parts) <= 1:
        for part in parts:
            link_or_copy(part, target)
        return
    days = Days.UNSETTLED if Days.UNSETTLED in days_of(connection, parts) else Days.ORDERED
    rows = log_rows(connection, columns, parts, "*")
    key = f"{columns.key_names}, _observed_on"
    last = f" qualify row_number() over (partition by {key} order by _path desc) = 1" if days is Days.UNSETTLED else ""
    connection.execute(
        f"copy (select * exclude (_path) from ({rows}){last} order by {key}) to {literal(target)} "
        f"(FORMAT parquet, COMPRESSION zstd, {file_metadata(connection, columns, days)})"
    )


def _columns(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> set[str]:
    return {row[0] for row in connection.execute(f"describe select * from {_read(files)}").fetchall()}


def _read(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true, filename = '_path')"
