"""Targets that a plan file and a source both state: the plan file counts, and the night says so."""

from pathlib import Path

import polars as pl

from flows.config.fiscal import FiscalCalendar


def stated_twice(log: Path, targets: pl.DataFrame, fiscal: FiscalCalendar) -> list[str]:
    """A line for each metric and fiscal year that both state.

    Args:
        log: ``build/log/target``, the targets of sources.
        targets: of plan files, columns ``PLAN_TARGET``.
        fiscal: how the company counts its year.
    """
    import duckdb

    if not any(log.glob("*.parquet")):
        return []
    with duckdb.connect() as connection:
        rows = connection.execute(
            """
            select distinct metric, period_start_on
            from read_parquet(?, union_by_name = true, hive_partitioning = false)
            where metric is not null and period_start_on is not null
            """,
            [str(log / "*.parquet")],
        ).fetchall()
    sources = {(metric, fiscal.year_of(start)) for metric, start in rows}
    years = targets.filter(pl.col("period_kind") == "year").select("metric", "period_start_on").unique()
    files = {(metric, fiscal.year_of(start)) for metric, start in years.iter_rows()}
    return [
        f"{metric}, fiscal year {year}: stated by the plan file and by a source; the plan file counts"
        for metric, year in sorted(sources & files)
    ]
