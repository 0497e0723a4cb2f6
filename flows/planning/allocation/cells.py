"""From months to rows: quarters, halves and years are sums of their months; carried months are the version's before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from flows.config.fiscal import MONTHS_OF, PERIOD_KINDS, FiscalCalendar, Period, PeriodKind
from flows.config.plan.metrics import PlanMetric
from flows.config.plan.versions import PlanVersion
from flows.planning.allocation.decompose import Answer, How
from flows.planning.allocation.rounding import Floats
from flows.planning.allocation.seasonality import MONTHS
from flows.planning.allocation.statements import Stated
from flows.planning.allocation.tree import Tree
from flows.warehouse.inputs import PLAN_TARGET

DERIVATION = {
    int(How.SEASON): "season",
    int(How.SPLIT): "split",
    int(How.PINNED): "pinned",
    int(How.SUM_OF_NODES): "sum of nodes",
}


@dataclass(frozen=True)
class Months:
    """What the rows of one metric have in common; ``carried`` are the rows of the version before."""

    version: PlanVersion
    metric: PlanMetric
    fiscal: FiscalCalendar
    tree: Tree
    start: int
    carried: pl.DataFrame

    @cached_property
    def starts(self) -> list[date]:
        """First days of the fiscal months."""
        return [month.start_on for month in self.fiscal.periods(self.version.year, "month")]

    def carried_rows(self) -> pl.DataFrame:
        """Months that are past when the version takes effect, as the version before has them."""
        past = (pl.col("period_kind") == "month") & pl.col("period_start_on").is_in(self.starts[: self.start])
        return self.carried.filter(past).with_columns(
            plan_version=pl.lit(self.version.id),
            derivation=pl.lit("carried"),
            rounding_hundredths=pl.lit(None, dtype=pl.Int32),
        )

    def carried_months(self) -> pl.DataFrame:
        """node_key, number of the month, base, stretch."""
        number = pl.col("period_start_on").replace_strict(self.starts, list(range(MONTHS)), return_dtype=pl.Int64)
        return self.carried_rows().select("node_key", number, "base_hundredths", "stretch_hundredths")

    def parent_keys(self) -> list[str | None]:
        """Of each node of the tree."""
        return [self.tree.keys[place] if place >= 0 else None for place in self.tree.parent.tolist()]


def month_rows(months: Months, base: Answer, excess: Answer | None, capacity: Floats, unit: int) -> pl.DataFrame:
    """The months that the version decomposes itself, and those that it carries."""
    place, month = np.nonzero(base.how != How.NONE)
    kept = month >= months.start
    place, month = place[kept], month[kept]
    amount = base.amount[place, month] * unit
    exact = base.exact[place, month] * unit
    rounding = np.clip(amount - np.rint(exact), -(2**31) + 1, 2**31 - 1).astype(np.int32)
    share = base.share[place, month]
    how = base.how[place, month]
    decomposed = np.isin(how, (How.SEASON, How.SPLIT))
    keys, parents = np.array(months.tree.keys, dtype=object), np.array(months.parent_keys(), dtype=object)
    stretch = pl.Series([None] * len(place), dtype=pl.Int64)
    if excess is not None:
        known = pl.Series(excess.how[place, month] != How.NONE)
        stretch = pl.Series(excess.amount[place, month] * unit + amount).zip_with(known, stretch)
    own = pl.DataFrame(
        {
            "plan_version": [months.version.id] * len(place),
            "metric": [months.metric.key] * len(place),
            "unit": [months.metric.unit] * len(place),
            "period_kind": ["month"] * len(place),
            "period_start_on": np.array(months.starts, dtype="datetime64[D]")[month],
            "node_key": keys[place].tolist(),
            "parent_node_key": parents[place].tolist(),
            "base_hundredths": amount,
            "stretch_hundredths": stretch,
            "derivation": pl.Series(how).replace_strict(DERIVATION, return_dtype=pl.String),
            "weight": np.where(decomposed, share, np.nan),
            "capacity": capacity[place, month],
            "rounding_hundredths": rounding,
        },
        schema=PLAN_TARGET,
    ).with_columns(pl.col("weight").fill_nan(None))
    own = own.with_columns(
        rounding_hundredths=pl.when(pl.col("weight").is_not_null()).then(pl.col("rounding_hundredths"))
    )
    return pl.concat([months.carried_rows(), own])


def with_periods(months: Months, rows: pl.DataFrame, stated: Sequence[Stated]) -> pl.DataFrame:
    """Months, and the quarters, halves and years that are their sums; each stands where its last month does."""
    frames = [rows]
    number = pl.col("period_start_on").replace_strict(months.starts, list(range(MONTHS)), return_dtype=pl.Int64)
    for kind in PERIOD_KINDS[1:]:
        periods = months.fiscal.periods(months.version.year, kind)
        length = MONTHS_OF[kind]
        # Of months without a stretch beside others with one, the base counts: the sum is what the node is to reach.
        stretch = pl.col("stretch_hundredths")
        own = number >= months.start
        missing = (stretch.is_null() & own).any() | stretch.is_null().all()
        sums = rows.group_by("node_key", part=number // length).agg(
            pl.col("parent_node_key").sort_by("period_start_on").last(),
            pl.col("base_hundredths").sum(),
            pl.when(missing.not_())
            .then(pl.coalesce(stretch, pl.col("base_hundredths")).sum())
            .alias("stretch_hundredths"),
        )
        frames.append(_labelled(months, sums, kind, periods, stated))
    return pl.concat(frames)


def _labelled(
    months: Months, sums: pl.DataFrame, kind: PeriodKind, periods: Sequence[Period], stated: Iterable[Stated]
) -> pl.DataFrame:
    length = MONTHS_OF[kind]
    said = {
        (one.node, one.first // length): "given" if one.is_target else "pinned"
        for one in sorted(stated, key=lambda one: one.is_target)
        if one.last - one.first + 1 == length
    }
    past = months.start // length
    stated_rows = pl.DataFrame(
        [(node, part, how) for (node, part), how in said.items()],
        schema={"node_key": pl.String, "part": pl.Int64, "said": pl.String},
        orient="row",
    )
    sums = sums.join(stated_rows, on=["node_key", "part"], how="left")
    own = pl.col("said").fill_null("sum of periods")
    derivation = pl.when(pl.col("part") < past).then(pl.lit("carried")).otherwise(own)
    starts = {number: period.start_on for number, period in enumerate(periods)}
    return sums.select(
        plan_version=pl.lit(months.version.id),
        metric=pl.lit(months.metric.key),
        unit=pl.lit(months.metric.unit),
        period_kind=pl.lit(kind),
        period_start_on=pl.col("part").replace_strict(starts, return_dtype=pl.Date),
        node_key=pl.col("node_key"),
        parent_node_key=pl.col("parent_node_key"),
        base_hundredths=pl.col("base_hundredths"),
        stretch_hundredths=pl.col("stretch_hundredths"),
        derivation=derivation,
        weight=pl.lit(None, dtype=pl.Float64),
        capacity=pl.lit(None, dtype=pl.Float64),
        rounding_hundredths=pl.lit(None, dtype=pl.Int32),
    )


def rate_rows(months: Months, stated: Sequence[Stated]) -> pl.DataFrame:
    """A rate is not decomposed: each cell has that of the nearest node above, and there of the shortest period around.

    Periods that are over when the version takes effect are carried.
    """
    by_node: dict[str, list[Stated]] = {}
    for one in stated:
        by_node.setdefault(one.node, []).append(one)
    past = months.carried.filter(pl.col("period_start_on") < months.version.effective_on)
    ends = {
        (kind, period.start_on): period.end_on
        for kind in PERIOD_KINDS
        for period in months.fiscal.periods(months.version.year, kind)
    }
    over = [
        ends.get((kind, start), months.version.effective_on) < months.version.effective_on
        for kind, start in past.select("period_kind", "period_start_on").iter_rows()
    ]
    carried = past.filter(pl.Series(over, dtype=pl.Boolean)).with_columns(
        plan_version=pl.lit(months.version.id), derivation=pl.lit("carried")
    )
    rows = []
    parents = months.parent_keys()
    for place, key in enumerate(months.tree.keys):
        chain = [key, *(months.tree.keys[above] for above in months.tree.above(place))]
        for kind in PERIOD_KINDS:
            for period in months.fiscal.periods(months.version.year, kind):
                if period.end_on < months.version.effective_on:
                    continue
                found = _rate(chain, by_node, period)
                if found is not None:
                    rows.append((kind, period.start_on, key, parents[place], *found))
    names = ("period_kind", "period_start_on", "node_key", "parent_node_key", "base", "stretch", "derivation")
    own = pl.DataFrame(
        rows,
        schema={name: PLAN_TARGET.get(name, pl.Int64()) for name in names},
        orient="row",
    ).select(
        plan_version=pl.lit(months.version.id),
        metric=pl.lit(months.metric.key),
        unit=pl.lit(months.metric.unit),
        period_kind="period_kind",
        period_start_on="period_start_on",
        node_key="node_key",
        parent_node_key="parent_node_key",
        base_hundredths="base",
        stretch_hundredths="stretch",
        derivation="derivation",
        weight=pl.lit(None, dtype=pl.Float64),
        capacity=pl.lit(None, dtype=pl.Float64),
        rounding_hundredths=pl.lit(None, dtype=pl.Int32),
    )
    return pl.concat([carried, own])


def _rate(chain: Sequence[str], by_node: dict[str, list[Stated]], period: Period) -> tuple[int, int | None, str] | None:
    length = MONTHS_OF[period.kind]
    first = (period.number - 1) * length
    last = first + length - 1
    for key in chain:
        around = [one for one in by_node.get(key, ()) if one.first <= first and last <= one.last]
        if around:
            one = min(around, key=lambda one: (one.last - one.first, one.is_target))
            own = key == chain[0] and (one.first, one.last) == (first, last)
            how = ("given" if one.is_target else "pinned") if own else "same rate"
            return one.base, one.stretch, how
    return None
