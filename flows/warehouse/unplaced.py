"""Targets that nobody is held to: their node or period is not known, or the plan file states the same. All are kept."""

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


def targets_beside_plan(candidate: Path) -> list[str]:
    """What a source states although a plan file states it, one line a metric and year: the plan file holds.

    Args:
        candidate: closed DuckDB file with ``marts.mart_target`` and ``marts.dim_date``.
    """
    import duckdb

    with duckdb.connect(str(candidate), read_only=True) as connection:
        rows = connection.execute(
            """
            with stated as (
                select distinct
                    targets.origin, targets.plan_version, targets.metric, dates.fiscal_year
                from marts.mart_target as targets
                inner join marts.dim_date as dates on targets.period_start_on = dates.day
            )
            select distinct sourced.plan_version, sourced.metric, sourced.fiscal_year
            from stated as sourced
            inner join stated as planned
                on sourced.metric = planned.metric and sourced.fiscal_year = planned.fiscal_year
            where sourced.origin = 'source' and planned.origin = 'plan'
            order by all
            """
        ).fetchall()
    return [f"{metric} of {year} (plan {plan})" for plan, metric, year in rows]
