"""A full export of an opportunity history on two nights, of which the second differs in a small share of its rows."""
# ruff: noqa: S608 (statements are composed of this module's own names)

from dataclasses import dataclass
from pathlib import Path

import duckdb

NIGHTS = ("2024-12-30", "2024-12-31")
_STAGES = "['Prospecting', 'Qualification', 'Discovery', 'Proposal', 'Negotiation', 'Closed Won', 'Closed Lost']"
_CATEGORIES = "['pipeline', 'pipeline', 'best_case', 'best_case', 'commit', 'closed', 'omitted']"
_ROWS_A_DEAL = 6
_FORMATS = {"parquet": "(FORMAT parquet, COMPRESSION snappy)", "csv": "(FORMAT csv, HEADER)"}


@dataclass(frozen=True)
class Changes:
    """What the second night differs in.

    Attributes:
        changed: rows with another amount.
        new: rows that only the second night has.
        deleted: rows that only the first night has.
    """

    changed: int
    new: int
    deleted: int


def write_exports(folder: Path, rows: int, file_format: str, share: float) -> Changes:
    """Write ``<night>/history.<format>`` for both nights, each of ``rows`` rows.

    Eight tenths of the differing rows are changed, one tenth is new and one tenth deleted. The rows are in the order in
    which the changes were made, as a CRM exports them, so that the rows of one deal lie far apart.

    Args:
        folder: where to.
        rows: records of each night.
        file_format: parquet (typed columns) or csv.
        share: of the rows that differ between the nights.
    """
    differing = round(rows * share)
    tenth = differing // 10
    every = max(rows // max(differing, 1), 1)
    with duckdb.connect() as connection:
        for night, shift in zip(NIGHTS, (0, tenth), strict=True):
            target = folder / night / f"history.{file_format}"
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                part = target.with_suffix(".part")
                query = _night(rows, shift, every if shift else 0, differing - 2 * tenth)
                connection.execute(f"copy ({query}) to '{part}' {_FORMATS[file_format]}")
                part.rename(target)
    return Changes(changed=differing - 2 * tenth, new=tenth, deleted=tenth)


def _night(rows: int, first: int, every: int, changed: int) -> str:
    """Records ``first`` to ``first + rows``; every ``every``-th, ``changed`` of them in all, has another amount."""
    deals = max(rows // _ROWS_A_DEAL, 1)
    dearer = f"n % {every} = {every - 1} and n < {first} + {changed} * {every}" if every else "false"
    return f"""
        select
            '006' || lpad(to_base((hash(n % {deals}) % {36**10})::bigint, 36), 12, '0') || 'AAA' as opportunity_id,
            timestamp '2022-01-01' + to_seconds(n * 94608000 // ({rows} * 2)) as changed_at,
            '017' || lpad(to_base(n, 36), 15, '0') as history_id,
            {_STAGES}[1 + (hash(n, 1) % 7)::bigint] as stage,
            ((hash(n % {deals}, 2) % 50000000 + ({dearer})::integer * 100) / 100)::decimal(18, 2) as amount,
            ['USD', 'EUR', 'CNY'][1 + (hash(n % {deals}, 3) % 3)::bigint] as currency,
            date '2022-03-01' + (hash(n, 4) % 1000)::integer as expected_close,
            '005' || lpad((hash(n % {deals}, 5) % 500)::varchar, 15, '0') as owner_id,
            {_CATEGORIES}[1 + (hash(n, 1) % 7)::bigint] as forecast_category
        from range({first}, {first} + {rows}) as records(n)
    """
