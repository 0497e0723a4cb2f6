"""The history of an entity with late and corrected days put in their place: what in-order arrival would have recorded.

The log keeps what each night recorded, for ever. Where nights recorded days late or again, one day of a key may have
several rows, a row may say nothing new any more, and ``new`` may no longer be true. Here, for the keys that have more
than one row: of each day what was recorded last counts; a row that repeats the one before it is left out; ``_change``
is told anew; and a deleted row repeats what was last known before it.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Sequence
from pathlib import Path

import duckdb

from flows.history.change_log import GONE, Days, EntityColumns, days_of, file_metadata, literal, log_rows, quoted


def needs_settling(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> bool:
    """Whether the files hold days that came in late or again."""
    return Days.UNSETTLED in days_of(connection, files)


def write_settled(
    connection: duckdb.DuckDBPyConnection, columns: EntityColumns, files: Sequence[Path], target: Path
) -> None:
    """Write the settled history of an entity.

    Args:
        connection: an engine with its limits set.
        columns: the entity.
        files: files of the change log, in the order in which they were recorded.
        target: the file.
    """
    key, names = columns.key_names, columns.names
    log = log_rows(connection, columns, files, "*")
    connection.execute(
        f"create or replace temp table touched as select {key} from ({log}) "
        "group by all having count(*) > 1 or bool_or(_change <> 'new')"
    )
    # Of each day what was recorded last; ``alive_*`` names the row whose values hold: its own, or the last before it.
    connection.execute(
        f"""
        create or replace temp table chain as
        with last_recorded as (
            select {key}, _observed_on, _valid_from, _path, _source, _file, _row, _row_hash, {GONE} as is_gone
            from ({log})
            semi join touched using ({key})
            qualify row_number() over (
                partition by {key}, _observed_on order by _valid_from desc, _path desc
            ) = 1
        ),

        followed as (
            select
                *,
                lag(is_gone, 1, true) over by_day as was_gone,
                lag(_row_hash) over by_day as was_hash,
                lag(_source) over by_day as was_source,
                last_value(case when not is_gone then _path end ignore nulls) over by_day as alive_path,
                last_value(case when not is_gone then _observed_on end ignore nulls) over by_day as alive_on
            from last_recorded
            window by_day as (partition by {key} order by _observed_on)
        )

        select
            * exclude (is_gone, was_gone, was_hash, was_source),
            case when is_gone then 'deleted' when was_gone then 'new' else 'changed' end as _change
        from followed
        where case when is_gone or was_gone then is_gone <> was_gone
            else _row_hash <> was_hash or _source <> was_source end
        """
    )
    values = ", ".join(f"known.{quoted(name)}" for name in columns.types)
    chain = ", ".join(
        f"chain.{name}" for name in ("_change", "_valid_from", "_observed_on", "_source", "_file", "_row")
    )
    log_columns = "_change, _valid_from, _observed_on, _source, _file, _row, _row_hash"
    agree = " and ".join(f"chain.{quoted(name)} = known.{quoted(name)}" for name in columns.key)
    connection.execute(
        f"""
        copy (
            select {names}, {log_columns}
            from ({log})
            anti join touched using ({key})
            union all
            select {values}, {chain}, known._row_hash
            from chain
            inner join ({log}) as known
                on {agree} and chain.alive_on = known._observed_on and chain.alive_path = known._path
        ) to {literal(target)} (FORMAT parquet, COMPRESSION zstd, {file_metadata(connection, columns, Days.ORDERED)})
        """
    )
