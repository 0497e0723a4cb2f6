"""The state of an entity as a query over the change log: the newest row of each key, unless it says the key is gone."""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from flows.history.change_log import GONE, Days, EntityColumns, days_of, literal, log_rows

_REST = "_change, _valid_from, _observed_on, _source, _file, _row, _row_hash"
_ORDER = "{'observed_on': _observed_on, 'valid_from': _valid_from, 'path': _path}"
"""The newest row of a key is that of the last day; of that day, what was recorded last."""


def state_query(
    connection: duckdb.DuckDBPyConnection,
    columns: EntityColumns,
    files: Sequence[Path],
    *,
    only_key: bool = False,
    until: date | None = None,
    among: str | None = None,
) -> str:
    """The state after ``files`` as a select: key or all columns, then ``_change … _row_hash``.

    Nothing is sorted or ranked over the whole log. The first day of the first file is by far the largest; its rows
    count unless their key comes again later, and of the later rows the newest of each key counts. Memory goes with the
    later rows alone.

    Args:
        connection: where the query will run; the metadata of the files are read with it.
        columns: the entity.
        files: files of the change log in the order in which they were recorded.
        only_key: leave out the columns that are not of the key.
        until: the day whose state is asked for, where later ones are recorded.
        among: a table of the connection with a column ``key_hash``; only keys with one of these hashes are asked for.
    """
    selected = columns.key_names if only_key else columns.names
    first, later = _first_day_and_later(connection, columns, files, f"{selected}, {_REST}, _path", until)
    if among:
        asked = f"semi join {among} on hash({columns.key_names}) = key_hash"
        first, later = f"select * from ({first}) {asked}", f"select * from ({later}) {asked}" if later else None
    result = f"{selected}, {_REST}"
    if later is None:
        return f"select {result} from ({first}) where not ({GONE})"
    key = columns.key_names
    if until is None and Days.UNSETTLED not in days_of(connection, files):
        order, again = "_observed_on", f"select *, _observed_on as _order from ({later})"
    else:
        touched = f"select * from ({first}) semi join ({later}) as superseding using ({key})"
        order, again = _ORDER, f"select *, {_ORDER} as _order from ({later} union all {touched})"
    return f"""
        select {result}
        from ({first}) as first_day
        anti join ({later}) as superseding using ({key})
        where not ({GONE})
        union all
        select {result}
        from ({again}) as later_days
        semi join (
            select {key}, max({order}) as _order from ({again}) group by all
        ) as newest using ({key}, _order)
        where not ({GONE})
    """


def _first_day_and_later(
    connection: duckdb.DuckDBPyConnection,
    columns: EntityColumns,
    files: Sequence[Path],
    selected: str,
    until: date | None,
) -> tuple[str, str | None]:
    """The log in two selects: the first day of the first file, and everything else, None where there is nothing."""
    up_to = f" where _observed_on <= {literal(until)}" if until else ""
    first = log_rows(connection, columns, files[:1], selected)
    later = [f"select * from ({log_rows(connection, columns, files[1:], selected)}){up_to}"] if files[1:] else []
    if files and days_of(connection, files[:1]) != [Days.NIGHT]:
        ((day,),) = connection.execute(f"select min(_observed_on) from ({first})").fetchall()
        further = f" and _observed_on <= {literal(until)}" if until else ""
        later.append(f"select * from ({first}) where _observed_on > {literal(day)}{further}")
        first = f"select * from ({first}) where _observed_on = {literal(day)}"
    return f"select * from ({first}){up_to}", " union all ".join(later) or None
