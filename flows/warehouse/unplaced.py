"""Targets that nobody can be held to, because their node or period is not known: kept, and part of no sum."""

from pathlib import Path

SHOWN = 10


def unplaced_targets(candidate: Path) -> list[str]:
    """The targets without a place, one line each, newest periods first; beyond ``SHOWN`` a line counts the rest.

    Args:
        candidate: closed DuckDB file with ``marts.mart_target``.
    """
    import duckdb

    with duckdb.connect(str(candidate), read_only=True) as connection:
        rows = connection.execute(
            """
            select plan_version, metric, period_kind, period_start_on, node_key, fault
            from marts.mart_target
            where fault is not null
            order by period_start_on desc, node_key, metric, period_kind, plan_version
            """
        ).fetchall()
    lines = [
        f"{metric}, {period_kind} {start}, {node.removeprefix('unresolved:')}: {fault} (plan {plan})"
        for plan, metric, period_kind, start, node, fault in rows[:SHOWN]
    ]
    return lines + ([f"and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else [])
