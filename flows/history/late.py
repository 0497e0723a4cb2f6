"""What a snapshot that comes in late makes of the days after it.

The log holds differences: a row that a later snapshot had, too, was not recorded then, because it was what the state
held already. A snapshot put in before it changes that state, and the later one has to be said again. What it said is
known: a full snapshot of a source held exactly the rows that the state of its day has from this source.

So, for every key that the late snapshot changes, at the next full snapshot that is recorded:

* the key was there, and nothing was recorded of it since: the row is ``restated``, as that snapshot had it;
* the key came from the late snapshot, and the next one of its source did not have it: it is ``withdrawn``.

Additions and deltas by day need no such rows: all of theirs are recorded, repeats included (``Snapshot.repeating``).
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from flows.history.change_log import GONE, Days, file_metadata, literal, log_rows
from flows.history.difference import Snapshot, rejected_keys

NextDays = Mapping[str, tuple[date, Sequence[Path], Sequence[str]]]
"""By source: day of its next full snapshot after the late one, quarantine of the night that recorded it, its files."""


def write_restated(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, changes: Path, next_days: NextDays, target: Path
) -> None:
    """Write what has to be said again after a late snapshot; no file where there is nothing.

    Args:
        connection: an engine with its limits set.
        snapshot: the late snapshot; its ``state`` is the log before it.
        changes: what it changes, as ``write_difference`` wrote it.
        next_days: the next full snapshots, by source.
        target: the staged file.
    """
    if not next_days or not changes.exists():
        return
    columns, key, day = snapshot.columns, snapshot.columns.key_names, literal(snapshot.observed_on)
    _create_next(connection, next_days)
    connection.execute(
        f"create or replace temp table own as select {columns.names}, _change, _source, _file, _row, _row_hash "
        f"from read_parquet({literal(changes)})"
    )
    connection.execute(
        f"create or replace temp table before as select * from ({snapshot.state_query(connection)}) "
        f"semi join own using ({key})"
    )
    later = log_rows(connection, columns, snapshot.state, f"{key}, _observed_on, _valid_from, _path, _change")
    connection.execute(
        f"""
        create or replace temp table explicit as
        select {key}, min(_observed_on) as any_on, min(_observed_on) filter (not is_gone) as there_on,
            list(_observed_on) as days
        from (
            select {key}, _observed_on, arg_max({GONE}, {{'valid_from': _valid_from, 'path': _path}}) as is_gone
            from ({later})
            semi join own using ({key})
            where _observed_on > {day}
            group by all
        )
        group by all
        """
    )
    undecided = _create_undecided(connection, snapshot, next_days)
    connection.execute(
        f"""
        create or replace temp table restated as
        select before.*, next_on
        from before
        inner join next_days on before._source = next_days.source
        left join explicit using ({key})
        {undecided}
        where any_on is null or any_on > next_on
        """
    )
    connection.execute(
        f"""
        create or replace temp table withdrawn as
        select own.*, next_days.next_on
        from own
        inner join next_days on own._source = next_days.source
        left join explicit using ({key})
        left join (select {key}, next_on as said_on from restated) as said using ({key})
        {undecided}
        where
            own._change <> 'deleted'
            and next_days.next_on < coalesce(least(there_on, said_on), date '9999-12-31')
            and not coalesce(list_contains(days, next_days.next_on), false)
        """
    )
    select = " union all ".join(
        f"select {columns.names}, {literal(table)} as _change, {literal(snapshot.as_of)}::date as _valid_from, "
        f"next_on as _observed_on, _source, _file, _row, _row_hash from {table}"
        for table in ("restated", "withdrawn")
    )
    if connection.execute(f"select 1 from ({select}) limit 1").fetchone() is None:
        return
    metadata = file_metadata(connection, columns, Days.UNSETTLED)
    connection.execute(
        f"copy ({select} order by {key}, _observed_on) to {literal(target)} "
        f"(FORMAT parquet, COMPRESSION zstd, {metadata})"
    )


def _create_next(connection: duckdb.DuckDBPyConnection, next_days: NextDays) -> None:
    rows = ", ".join(f"({literal(source)}, {literal(day)}::date)" for source, (day, _, _) in sorted(next_days.items()))
    connection.execute(
        f"create or replace temp table next_days as select * from (values {rows}) as days (source, next_on)"
    )


def _create_undecided(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, next_days: NextDays) -> str:
    """Leave out the keys that the next snapshot of their source had in quarantine: it said neither yes nor no."""
    key = snapshot.columns.key_names
    parts = []
    for source, (_, quarantine, files) in sorted(next_days.items()):
        if quarantine:
            named = ", ".join(literal(file) for file in files)
            keys = rejected_keys(snapshot.columns, quarantine, f"source = {literal(source)} and file in ({named})")
            parts.append(f"select {literal(source)} as _source, * from ({keys})")
    if not parts:
        return ""
    connection.execute(f"create or replace temp table undecided as {' union all '.join(parts)}")
    return f"anti join undecided using (_source, {key})"
