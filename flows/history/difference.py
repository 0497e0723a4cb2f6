"""The exports of one day against the state of the change log: which rows of an entity are new, changed or gone.

One pass over tonight's rows and one over keys and hashes of the state, joined by key. Only what differs is held wide.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from flows.errors import PermanentError
from flows.history.change_log import Days, EntityColumns, file_metadata, literal, quoted
from flows.history.state import state_query


@dataclass(frozen=True)
class Snapshot:
    """What the exports of one day say of an entity, and what they are compared with.

    Attributes:
        as_of: the night that records it.
        observed_on: the day that the exports show.
        columns: the entity.
        accepted: validated rows of that day, one Parquet file per source file.
        sources: names of the sources whose rows count.
        deleting: those of them whose exports are complete, so that a missing key is a deleted one.
        repeating: those of them whose rows are recorded even where they repeat what is known: additions by day, which
            may once be preceded by a late one.
        rejected: quarantined cells of all files.
        files: names of the files of the day; the readable keys among their quarantined cells are not gone.
        state: files of the change log, in the order in which they were recorded.
        is_late: whether the log shows later days already; then the state of the day itself is compared.
        has_deletions: whether accepted rows may tell, in ``_deleted``, that their key is gone.
        settled: where rows are settled that ``accepted`` does not hold (``flows.ingest.settled``): files of the hashed
            keys that are to be compared beside those of ``accepted``. All other keys of the state are as they were.
    """

    as_of: date
    observed_on: date
    columns: EntityColumns
    accepted: tuple[Path, ...]
    sources: tuple[str, ...]
    deleting: tuple[str, ...]
    repeating: tuple[str, ...]
    rejected: tuple[Path, ...]
    files: tuple[str, ...]
    state: tuple[Path, ...]
    is_late: bool
    has_deletions: bool
    settled: tuple[Path, ...] = ()

    def state_query(self, connection: duckdb.DuckDBPyConnection, *, only_key: bool = False) -> str:
        """What was known of the day before these exports."""
        if self.settled:
            return "from compared_state"
        until = self.observed_on if self.is_late else None
        return state_query(connection, self.columns, self.state, only_key=only_key, until=until)

    def days(self, *, repeats: bool) -> Days:
        """Which days its changes show; ``repeats``: whether some of them only say again what was known."""
        if self.is_late or repeats:
            return Days.UNSETTLED
        return Days.NIGHT if self.observed_on == self.as_of else Days.ORDERED


@dataclass(frozen=True)
class Change:
    """How many rows of one file changed in one way. ``file`` of a deleted row is the one it was last read from."""

    source: str
    file: str
    change: str
    rows: int


def create_compared_state(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """Read from the state, once, the keys that are to be compared, where the rest is settled."""
    columns = snapshot.columns
    asked = [f"select key_hash from read_parquet([{_listed(snapshot.settled)}])"]
    if snapshot.accepted:
        asked.append(f"select hash({columns.key_names}) as key_hash from ({_typed_keys(snapshot)})")
    connection.execute(
        f"create or replace temp table compared_keys as select distinct * from ({' union all '.join(asked)})"
    )
    state = state_query(connection, columns, snapshot.state, among="compared_keys")
    connection.execute(f"create or replace temp table compared_state as {state}")


def _typed_keys(snapshot: Snapshot) -> str:
    return (
        f"select {snapshot.columns.key_typed} from read_parquet([{_listed(snapshot.accepted)}], union_by_name = true)"
    )


def rows_by_source(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    """Rows of a select with a column ``_source``, by source."""
    return dict(connection.execute(f"select _source, count(*) from ({query}) group by all").fetchall())


def keyed_rejects_by_source(
    connection: duckdb.DuckDBPyConnection, entity: str, rejected: Sequence[Path], names: Sequence[str]
) -> dict[str, int]:
    """Quarantined rows of an entity whose key can be read, by source; of the files called ``names``."""
    if not rejected or not names:
        return {}
    query = (
        f"select source, count(distinct (file, sheet, row)) from {_cells(rejected)} "
        f"where entity = {literal(entity)} and file in ({_listed(names)}) and key is not null group by all"
    )
    return dict(connection.execute(query).fetchall())


def tonight_query(snapshot: Snapshot) -> str:
    """The rows of the exports: schema columns, ``_source``, ``_file``, ``_row`` and ``_row_hash``."""
    columns = snapshot.columns
    if not snapshot.accepted or not snapshot.sources:
        nothing = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in columns.types.items())
        return (
            f"select {nothing}, null::varchar as _source, null::varchar as _file, null::bigint as _row, "
            "null::ubigint as _row_hash where false"
        )
    there = " and not coalesce(_deleted, false)" if snapshot.has_deletions else ""
    return (
        f"select *, {columns.row_hash} as _row_hash from (select {columns.typed}, _source, _file, _row "
        f"from {_accepted(snapshot)}{there})"
    )


def write_difference(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, target: Path) -> list[Change]:
    """Write the change rows of one entity on one day to ``target``, ordered by key; no file where nothing changed.

    Args:
        connection: an engine with its limits set.
        snapshot: what is compared.
        target: the staged file.

    Returns:
        Counts by source, file and kind of change.

    Raises:
        PermanentError: a key comes twice among the changes.
    """
    tonight = tonight_query(snapshot)
    compared = snapshot.state or snapshot.repeating
    parts = _differences(connection, snapshot, tonight) if compared else {"new": tonight}
    names, key = snapshot.columns.names, snapshot.columns.key_names
    select = " union all ".join(
        f"select {names}, {literal(change)} as _change, {literal(snapshot.as_of)}::date as _valid_from, "
        f"{literal(snapshot.observed_on)}::date as _observed_on, _source, _file, _row, _row_hash from ({part})"
        for change, part in parts.items()
    )
    if not parts or connection.execute(f"select 1 from ({select}) limit 1").fetchone() is None:
        return []
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = file_metadata(
        connection, snapshot.columns, snapshot.days(repeats=bool({"restated", "withdrawn"} & set(parts)))
    )
    connection.execute(
        f"copy ({select} order by {key}) to {literal(target)} (FORMAT parquet, COMPRESSION zstd, {metadata})"
    )
    _check_keys(connection, snapshot, target)
    counts = connection.execute(
        "select _source, _file, _change, count(*) from read_parquet(?) group by all order by all", [str(target)]
    ).fetchall()
    return [Change(*row) for row in counts]


def _check_keys(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, target: Path) -> None:
    """A key has at most one row a day: the state could not tell which of two is the newest."""
    repeated = connection.execute(
        f"select {snapshot.columns.key_names}, count(*) from read_parquet(?) group by all having count(*) > 1 limit 1",
        [str(target)],
    ).fetchone()
    if repeated:
        target.unlink()
        raise PermanentError(
            f"build/accepted/{snapshot.columns.entity}: expected every key once, "
            f"found {repeated[:-1]} {repeated[-1]} times. "
            "Validation settles keys that repeat: run the night again from its start, and report this if it stays."
        )


def _differences(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, tonight: str) -> dict[str, str]:
    """The selects of rows that are new, changed, gone, or said again."""
    columns, key = snapshot.columns, snapshot.columns.key
    state = snapshot.state_query(connection, only_key=True)
    if not (snapshot.repeating or snapshot.settled):
        tonight, state = _without_equal_rows(connection, columns, tonight, state)
    agree = " and ".join(f"tonight.{quoted(name)} = state.{quoted(name)}" for name in key)
    is_tonight, is_known = f"tonight.{quoted(key[0])} is not null", f"state.{quoted(key[0])} is not null"
    # A row that another source now delivers has changed too: it is that source whose export may delete it from here on.
    differs = "(tonight._row_hash is distinct from state._row_hash or tonight._source is distinct from state._source)"
    says = f"({differs} or tonight._source in ({_listed(snapshot.repeating)}))" if snapshot.repeating else differs
    kept = f"{is_tonight} and {says}"
    if snapshot.deleting:
        kept += f" or not ({is_tonight}) and state._source in ({_listed(snapshot.deleting)})"
    was_key = ", ".join(f"state.{quoted(name)} as {quoted('_was_' + name)}" for name in key)
    kind = f"case when not ({is_known}) then 'new' when {differs} then 'changed' else 'restated' end"
    connection.execute(
        f"""
        create or replace temp table difference as
        select tonight.*, {was_key}, case when {is_tonight} then {kind} else 'deleted' end as _kind
        from ({tonight}) as tonight
        {"full" if snapshot.deleting else "left"} join ({state}) as state on {agree}
        where {kept}
        """
    )
    kinds = connection.execute("select distinct _kind from difference where _kind <> 'deleted' order by 1").fetchall()
    parts = {kind: f"select * from difference where _kind = '{kind}'" for (kind,) in kinds}
    return parts | _deletions(connection, snapshot) | _repeated_deletions(connection, snapshot)


def _deletions(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> dict[str, str]:
    """The select of deleted rows, with what was last known of them, if there are any."""
    columns = snapshot.columns
    was_key = ", ".join(f"{quoted('_was_' + name)} as {quoted(name)}" for name in columns.key)
    connection.execute(
        f"""
        create or replace temp table gone as
        select {was_key}, null::varchar as _by_source, null::varchar as _by_file, null::bigint as _by_row
        from difference
        where _kind = 'deleted'
        """
    )
    if snapshot.rejected and snapshot.files:
        rejected = rejected_keys(columns, snapshot.rejected, f"file in ({_listed(snapshot.files)})")
        connection.execute(
            f"create or replace temp table gone as select gone.* from gone "
            f"anti join ({rejected}) as rejected using ({columns.key_names})"
        )
    if snapshot.has_deletions and snapshot.accepted and snapshot.sources:
        connection.execute(
            f"""
            insert into gone
            select {columns.key_typed}, _source, _file, _row
            from {_accepted(snapshot)} and coalesce(_deleted, false)
            """
        )
    if connection.execute("select count(*) from gone").fetchone() == (0,):
        return {}
    return {
        "deleted": f"""
            select last_known.* replace (
                coalesce(_by_source, _source) as _source,
                case when _by_source is null then _file else _by_file end as _file,
                case when _by_source is null then _row else _by_row end as _row
            )
            from ({snapshot.state_query(connection)}) as last_known
            inner join (
                select {columns.key_names}, max(_by_source) as _by_source, max(_by_file) as _by_file,
                    max(_by_row) as _by_row
                from gone
                group by all
            ) as gone using ({columns.key_names})
        """
    }


def _repeated_deletions(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> dict[str, str]:
    """The select of rows that say of a key that is not known that it is gone, where repeats are recorded."""
    if not (snapshot.repeating and snapshot.has_deletions and snapshot.accepted and snapshot.sources):
        return {}
    columns = snapshot.columns
    unknown = f"""
        select *, {columns.row_hash} as _row_hash
        from (
            select {columns.typed}, _source, _file, _row
            from {_accepted(snapshot)} and coalesce(_deleted, false) and _source in ({_listed(snapshot.repeating)})
        )
        anti join ({snapshot.state_query(connection, only_key=True)}) as state using ({columns.key_names})
    """
    return {} if connection.execute(f"select 1 from ({unknown}) limit 1").fetchone() is None else {"withdrawn": unknown}


def _without_equal_rows(
    connection: duckdb.DuckDBPyConnection, columns: EntityColumns, tonight: str, state: str
) -> tuple[str, str]:
    """Both sides without the rows that are the same on either, which are nearly all of a full export.

    They are told by source and row hash: joining 10 M numbers takes half of what joining keys takes. The hash covers
    the key, so that equal hashes are equal rows but for a collision: a changed row that hashes like some other row of
    the state. That other row then has two partners, the numbers of rows taken away on the two sides differ, and all
    rows are compared by key. (Unseen it stays only if that other row, too, is changed or gone on the same night: with
    50,000 changes in 10 M rows once in 10 thousand million nights.)
    """
    was_key = ", ".join(f"state.{quoted(name)} as {quoted('_was_' + name)}" for name in columns.key)
    connection.execute(
        f"""
        create or replace temp table unequal as
        select tonight.*, {was_key}, state._source as _was_source, state._row_hash as _was_row_hash
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
    was = {f"_was_{name}": f"_{name}" for name in ("source", "row_hash")}
    was |= {f"_was_{name}": name for name in columns.key}
    return (
        f"select * exclude ({', '.join(map(quoted, was))}) from unequal where _row_hash is not null",
        f"select {', '.join(f'{quoted(was_name)} as {quoted(name)}' for was_name, name in was.items())} "
        "from unequal where _was_row_hash is not null",
    )


def rejected_keys(columns: EntityColumns, rejected: Sequence[Path], condition: str = "true") -> str:
    """Keys that can be read in quarantined rows of the entity that fulfil a condition."""
    parts = ", ".join(
        f"try_cast(json_extract_string(key, {literal('$.' + quoted(name))}) as {kind}) as {quoted(name)}"
        for name, kind in ((name, columns.types[name]) for name in columns.key)
    )
    return (
        f"select distinct {parts} from {_cells(rejected)} where entity = {literal(columns.entity)} "
        f"and key is not null and json_valid(key) and {condition}"
    )


def _cells(rejected: Sequence[Path]) -> str:
    return f"read_parquet([{_listed(rejected)}], union_by_name = true)"


def _accepted(snapshot: Snapshot) -> str:
    """The accepted rows of the sources that count, ending in a condition that may be added to."""
    files = f"read_parquet([{_listed(snapshot.accepted)}], union_by_name = true)"
    return f"{files} where _source in ({_listed(snapshot.sources)})"


def _listed(values: Sequence[object]) -> str:
    return ", ".join(literal(value) for value in values)
