"""Tonight's rows of one entity against the state of the change log: which are new, changed or gone.

One pass over tonight's rows and one over keys and hashes of the state, joined by key. Only what differs is held wide.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from flows.errors import PermanentError
from flows.history.change_log import EntityColumns, hash_metadata, literal, log_rows, quoted, state_query


@dataclass(frozen=True)
class EntityNight:
    """What is compared tonight for one entity.

    Attributes:
        accepted: validated rows, one Parquet file per source file.
        sources: names of the sources whose rows count tonight.
        deleting: those of them whose exports are complete, so that a missing key is a deleted one.
        rejected: quarantined cells of all files; the readable keys in them are not gone.
        state: files of the change log before tonight, oldest first.
    """

    as_of: date
    columns: EntityColumns
    accepted: tuple[Path, ...]
    sources: tuple[str, ...]
    deleting: tuple[str, ...]
    rejected: tuple[Path, ...]
    state: tuple[Path, ...]


@dataclass(frozen=True)
class Change:
    """How many rows of one file changed in one way. ``file`` of a deleted row is the one it was last read from."""

    source: str
    file: str
    change: str
    rows: int


def rows_by_source(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    """Rows of a select with a column ``_source``, by source."""
    return dict(connection.execute(f"select _source, count(*) from ({query}) group by all").fetchall())


def keyed_rejects_by_source(
    connection: duckdb.DuckDBPyConnection, entity: str, rejected: Sequence[Path]
) -> dict[str, int]:
    """Quarantined rows of an entity whose key can be read, by source."""
    if not rejected:
        return {}
    files = ", ".join(literal(path) for path in rejected)
    query = (
        f"select source, count(distinct (file, sheet, row)) from read_parquet([{files}], union_by_name = true) "
        f"where entity = {literal(entity)} and key is not null group by all"
    )
    return dict(connection.execute(query).fetchall())


def tonight_query(night: EntityNight) -> str:
    """Tonight's rows of the entity: schema columns, ``_source``, ``_file``, ``_row`` and ``_row_hash``."""
    columns = night.columns
    if not night.accepted or not night.sources:
        nothing = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in columns.types.items())
        return (
            f"select {nothing}, null::varchar as _source, null::varchar as _file, null::bigint as _row, "
            "null::ubigint as _row_hash where false"
        )
    files = ", ".join(literal(path) for path in night.accepted)
    sources = ", ".join(literal(source) for source in night.sources)
    return (
        f"select *, {columns.row_hash} as _row_hash from (select {columns.typed}, _source, _file, _row "
        f"from read_parquet([{files}], union_by_name = true) where _source in ({sources}))"
    )


def write_difference(connection: duckdb.DuckDBPyConnection, night: EntityNight, target: Path) -> list[Change]:
    """Write tonight's change rows of one entity to ``target``, ordered by key; no file where nothing changed.

    Args:
        connection: an engine with its limits set.
        night: what is compared.
        target: the staged file.

    Returns:
        Counts by source, file and kind of change.

    Raises:
        PermanentError: a key comes twice among the changes.
    """
    tonight = tonight_query(night)
    parts = _first_night(night, tonight) if not night.state else _later_night(connection, night, tonight)
    names, key = night.columns.names, night.columns.key_names
    select = " union all ".join(
        f"select {names}, {literal(change)} as _change, {literal(night.as_of)}::date as _valid_from, "
        f"{literal(night.as_of)}::date as _observed_on, "
        f"_source, _file, _row, _row_hash from ({part})"
        for change, part in parts.items()
    )
    if not parts or connection.execute(f"select 1 from ({select}) limit 1").fetchone() is None:
        return []
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = hash_metadata(connection, night.columns)
    connection.execute(
        f"copy ({select} order by {key}) to {literal(target)} (FORMAT parquet, COMPRESSION zstd, {metadata})"
    )
    _check_keys(connection, night, target)
    counts = connection.execute(
        "select _source, _file, _change, count(*) from read_parquet(?) group by all order by all", [str(target)]
    ).fetchall()
    return [Change(*row) for row in counts]


def _check_keys(connection: duckdb.DuckDBPyConnection, night: EntityNight, target: Path) -> None:
    """A key has at most one row a night: the state could not tell which of two is the newest."""
    repeated = connection.execute(
        f"select {night.columns.key_names}, count(*) from read_parquet(?) group by all having count(*) > 1 limit 1",
        [str(target)],
    ).fetchone()
    if repeated:
        target.unlink()
        raise PermanentError(
            f"build/accepted/{night.columns.entity}: expected every key once, "
            f"found {repeated[:-1]} {repeated[-1]} times. "
            "Validation settles keys that repeat: run the night again from its start, and report this if it stays."
        )


def _first_night(night: EntityNight, tonight: str) -> dict[str, str]:
    return {"new": tonight}


def _later_night(connection: duckdb.DuckDBPyConnection, night: EntityNight, tonight: str) -> dict[str, str]:
    """The selects of new, changed and deleted rows; those without rows are left out."""
    columns, key = night.columns, night.columns.key
    state = state_query(connection, columns, night.state, only_key=True)
    tonight, state = _without_equal_rows(connection, night, tonight, state)
    agree = " and ".join(f"tonight.{quoted(name)} = state.{quoted(name)}" for name in key)
    is_tonight, is_known = f"tonight.{quoted(key[0])} is not null", f"state.{quoted(key[0])} is not null"
    # A row that another source now delivers has changed too: it is that source whose export may delete it from here on.
    differs = "(tonight._row_hash is distinct from state._row_hash or tonight._source is distinct from state._source)"
    kept = f"{is_tonight} and {differs}"
    if night.deleting:
        kept += f" or not ({is_tonight}) and state._source in ({', '.join(literal(name) for name in night.deleting)})"
    was_key = ", ".join(f"state.{quoted(name)} as {quoted('_was_' + name)}" for name in key)
    connection.execute(
        f"""
        create or replace temp table difference as
        select tonight.*, {was_key}, state._valid_from as _was_valid_from,
            case when {is_tonight} then case when {is_known} then 'changed' else 'new' end else 'deleted' end as _kind
        from ({tonight}) as tonight
        {"full" if night.deleting else "left"} join ({state}) as state on {agree}
        where {kept}
        """
    )
    parts = {kind: f"select * from difference where _kind = '{kind}'" for kind in ("new", "changed")}
    was_key = ", ".join(f"{quoted('_was_' + name)} as {quoted(name)}" for name in key)
    connection.execute(
        f"""
        create or replace temp table gone as
        select {was_key}, _was_valid_from as _valid_from
        from difference
        where _kind = 'deleted'
        """
    )
    if night.rejected:
        connection.execute(
            f"create or replace temp table gone as select gone.* from gone anti join ({_rejected_keys(night)}) "
            f"as rejected using ({columns.key_names})"
        )
    if connection.execute("select count(*) from gone").fetchone() != (0,):
        everything = log_rows(
            connection, columns, night.state, f"{columns.names}, _valid_from, _source, _file, _row, _row_hash"
        )
        parts["deleted"] = (
            f"select last_known.* from ({everything}) as last_known "
            f"semi join gone using ({columns.key_names}, _valid_from)"
        )
    return parts


def _without_equal_rows(
    connection: duckdb.DuckDBPyConnection, night: EntityNight, tonight: str, state: str
) -> tuple[str, str]:
    """Both sides without the rows that are the same on either, which are nearly all of a full export.

    They are told by source and row hash: joining 10 M numbers takes half of what joining keys takes. The hash covers
    the key, so that equal hashes are equal rows but for a collision: a changed row that hashes like some other row of
    the state. That other row then has two partners, the numbers of rows taken away on the two sides differ, and all
    rows are compared by key. (Unseen it stays only if that other row, too, is changed or gone on the same night: with
    50,000 changes in 10 M rows once in 10 thousand million nights.)
    """
    was_key = ", ".join(f"state.{quoted(name)} as {quoted('_was_' + name)}" for name in night.columns.key)
    connection.execute(
        f"""
        create or replace temp table unequal as
        select tonight.*, {was_key}, state._valid_from as _was_valid_from, state._source as _was_source,
            state._row_hash as _was_row_hash
        from ({tonight}) as tonight
        full join ({state}) as state on tonight._row_hash = state._row_hash and tonight._source = state._source
        where tonight._row_hash is null or state._row_hash is null
        """
    )
    ((same_tonight, same_in_state),) = connection.execute(
        f"""
        select
            (select count(*) from ({tonight})) - (select count(*) from unequal where _row_hash is not null),
            (select count(*) from ({state})) - (select count(*) from unequal where _was_row_hash is not null)
        """
    ).fetchall()
    if same_tonight != same_in_state:
        return tonight, state
    was = {f"_was_{name}": f"_{name}" for name in ("valid_from", "source", "row_hash")}
    was |= {f"_was_{name}": name for name in night.columns.key}
    return (
        f"select * exclude ({', '.join(map(quoted, was))}) from unequal where _row_hash is not null",
        f"select {', '.join(f'{quoted(was_name)} as {quoted(name)}' for was_name, name in was.items())} "
        "from unequal where _was_row_hash is not null",
    )


def _rejected_keys(night: EntityNight) -> str:
    """Keys that can be read in tonight's quarantined rows of the entity."""
    files = ", ".join(literal(path) for path in night.rejected)
    parts = ", ".join(
        f"try_cast(json_extract_string(key, {literal('$.' + quoted(name))}) as {kind}) as {quoted(name)}"
        for name, kind in ((name, night.columns.types[name]) for name in night.columns.key)
    )
    return (
        f"select distinct {parts} from read_parquet([{files}], union_by_name = true) "
        f"where entity = {literal(night.columns.entity)} and key is not null and json_valid(key)"
    )
