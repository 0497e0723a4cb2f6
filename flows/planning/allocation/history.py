"""Results of past months, as plans look back on them: what seasons, splits, growth and trends are read from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.planning.allocation.rounding import Ints
from flows.planning.allocation.seasonality import MONTHS, PastYear
from flows.planning.allocation.tree import COMPANY, parent_of

RESULTS: dict[str, pl.DataType] = {
    "metric": pl.String(),
    "node_key": pl.String(),
    "month_start_on": pl.Date(),
    "hundredths": pl.Int64(),
    "n": pl.Int64(),
    "denominator_hundredths": pl.Int64(),
}
"""One row per metric × rep × fiscal month with a result."""


@dataclass(frozen=True)
class History:
    """What was reached up to a night.

    Attributes:
        as_of: the night; nothing after it is known.
        results: columns ``RESULTS``.
        parents: node above each node in the organisation of the night.
        first_on: first day with a result, by metric.
    """

    as_of: date
    results: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RESULTS))
    parents: Mapping[str, str] = field(default_factory=dict)
    first_on: Mapping[str, date] = field(default_factory=dict)
    _summed: dict[tuple[str, tuple[date, ...]], tuple[Mapping[str, str], dict[str, Ints]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was summed up last, with the places that it was summed by: each target of a metric asks for the same."""

    def full_years(self, metric: str, before_year: int, fiscal: FiscalCalendar) -> list[int]:
        """Fiscal years before ``before_year`` that are over and were seen from their first month on, oldest first."""
        first = self.first_on.get(metric)
        if first is None:
            return []
        years = range(fiscal.year_of(first), before_year)
        return [
            year
            for year in years
            if fiscal.periods(year, "month")[0].end_on >= first and fiscal.periods(year, "year")[0].end_on <= self.as_of
        ]

    def last_months(self, metric: str, fiscal: FiscalCalendar) -> list[date]:
        """First days of the last twelve full fiscal months; none where the metric was not seen for so long."""
        first = self.first_on.get(metric)
        year = fiscal.year_of(self.as_of)
        months = [month for one in (year - 1, year) for month in fiscal.periods(one, "month")]
        full = [month for month in months if month.end_on <= self.as_of][-MONTHS:]
        return [month.start_on for month in full] if first is not None and full[0].end_on >= first else []

    def by_node(self, metric: str, starts: Iterable[date], parents: Mapping[str, str]) -> dict[str, Ints]:
        """Results in months by node: of each rep, and of every node above.

        Args:
            metric: whose results.
            starts: first days of the months wanted, in order.
            parents: places of reps in the plan; others stand where the organisation has them.
        """
        months = tuple(dict.fromkeys(starts))
        known = self._summed.get((metric, months))
        if known is None or known[0] is not parents:
            known = self._summed[metric, months] = parents, self._by_node(metric, months, parents)
        return known[1]

    def _by_node(self, metric: str, months: tuple[date, ...], parents: Mapping[str, str]) -> dict[str, Ints]:
        chosen = self.results.filter(pl.col("metric") == metric, pl.col("month_start_on").is_in(months))
        if chosen.is_empty():
            return {}
        nodes = chosen.select(pl.col("node_key").unique(maintain_order=True)).with_row_index("place")
        month = pl.col("month_start_on").replace_strict(months, range(len(months)), return_dtype=pl.Int64)
        cells = chosen.join(nodes, on="node_key").select("place", month, pl.col("hundredths").fill_null(0))
        own = np.zeros((nodes.height, len(months)), dtype=np.int64)
        np.add.at(own, (cells["place"].to_numpy(), cells["month_start_on"].to_numpy()), cells["hundredths"].to_numpy())
        found: dict[str, Ints] = {}
        for node, amounts in zip(nodes["node_key"].to_list(), own, strict=True):
            for key in self._with_above(node, parents):
                if key in found:
                    found[key] += amounts
                else:
                    found[key] = amounts.copy()
        return found

    def past_years(
        self, metric: str, node: str, before_year: int, fiscal: FiscalCalendar, parents: Mapping[str, str]
    ) -> list[PastYear]:
        """Full past fiscal years of a node; of the nearest node above it where it has none."""
        years = self.full_years(metric, before_year, fiscal)
        starts = [month.start_on for year in years for month in fiscal.periods(year, "month")]
        by_node = self.by_node(metric, starts, parents)
        key: str | None = node
        while key is not None:
            if key in by_node:
                months = by_node[key]
                split = [months[at : at + MONTHS] for at in range(0, len(months), MONTHS)]
                past = [
                    PastYear(year, tuple(map(int, row)))
                    for year, row in zip(years, split, strict=True)
                    if row.sum() > 0
                ]
                if past:
                    return past
            key = self._parent(key, parents)
        return []

    def _with_above(self, node: str, parents: Mapping[str, str]) -> list[str]:
        found: list[str] = []
        key: str | None = node
        while key is not None and key not in found:
            found.append(key)
            key = self._parent(key, parents)
        return found

    def _parent(self, key: str, parents: Mapping[str, str]) -> str | None:
        if key == COMPANY:
            return None
        return parents.get(key) or self.parents.get(key) or (COMPANY if key.startswith("rep:") else parent_of(key))


def read_history(build: Path, as_of: date, fiscal: FiscalCalendar) -> History:
    """Read the results of the night that is being built.

    Args:
        build: its folder, with the candidate and what dbt keeps beside it.
        as_of: the night.
        fiscal: how the company counts its year.
    """
    import duckdb

    with duckdb.connect(str(build / "candidate.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{build / 'scratch.duckdb'}' as scratch (read_only)")
        # Millions of days stay in the engine; here a month is one row, on the first of its days.
        daily = connection.execute(
            """
            select
                daily.metric, daily.node_key, min(daily.happened_on) as happened_on,
                cast(sum(daily.hundredths) as bigint) as hundredths,
                cast(sum(daily.n) as bigint) as n,
                cast(sum(daily.denominator_hundredths) as bigint) as denominator_hundredths
            from scratch.intermediate.int_actuals_daily as daily
            left join scratch.intermediate.int_dates as dates on daily.happened_on = dates.day
            where daily.happened_on <= ?
            group by daily.metric, daily.node_key, coalesce(dates.month_start_on, daily.happened_on)
            """,
            [as_of],
        ).pl()
        nodes = connection.execute(
            "select node_key, parent_node_key from marts.dim_node "
            "where is_current and parent_node_key is not null order by node_key"
        ).fetchall()
    return history_of(daily, as_of, fiscal, dict(nodes))


def history_of(daily: pl.DataFrame, as_of: date, fiscal: FiscalCalendar, parents: Mapping[str, str]) -> History:
    """Days as fiscal months."""
    if daily.is_empty():
        return History(as_of, parents=parents)
    firsts = dict(daily.group_by("metric").agg(pl.col("happened_on").min()).sort("metric").iter_rows())
    first, last = daily["happened_on"].min(), daily["happened_on"].max()
    assert isinstance(first, date) and isinstance(last, date)  # noqa: S101 (not empty)
    months = [
        month.start_on
        for year in range(fiscal.year_of(first), fiscal.year_of(last) + 1)
        for month in fiscal.periods(year, "month")
    ]
    starts = pl.DataFrame({"month_start_on": months}, schema={"month_start_on": pl.Date})
    results = (
        daily.sort("happened_on")
        .join_asof(starts, left_on="happened_on", right_on="month_start_on")
        .group_by("metric", "node_key", "month_start_on")
        .agg(
            pl.col("hundredths").sum(),
            pl.col("n").sum(),
            pl.when(pl.col("denominator_hundredths").count() > 0)
            .then(pl.col("denominator_hundredths").sum())
            .alias("denominator_hundredths"),
        )
        .sort("metric", "node_key", "month_start_on")
        .select(pl.col(name).cast(dtype) for name, dtype in RESULTS.items())
    )
    return History(as_of, results, parents, firsts)
