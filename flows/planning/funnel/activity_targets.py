"""What has to be done for the results to come: activity targets, derived backwards through the funnel.

Each step of a plan's funnel says how many of its metric it takes for one of the next. A rep's month of results becomes
the months, so many days earlier, in which the steps before it have to happen. Figures stay exact along the whole chain
and are rounded up to whole units once, so that rounding is not multiplied.

A year has no edge for those who sell: what had to be done before it began, for its first months, last year's plan has
asked for; in its last months it asks for the same, for the year to come.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

import polars as pl

from flows.config.fiscal import MONTHS_OF, FiscalCalendar
from flows.config.plan.model import FunnelStep
from flows.config.plan.versions import PlanVersion
from flows.errors import ConfigError
from flows.planning.funnel.activity_needs import LeafPlan, Months, Needed, PlanYear, days_earlier
from flows.planning.funnel.funnel_history import Found, FunnelHistory
from flows.warehouse.inputs import PLAN_TARGET

_AMOUNTS = ("base_hundredths", "stretch_hundredths", "rounding_hundredths")
_MONTHS = {
    "place": pl.Int64(),
    "node_key": pl.String(),
    "parent_node_key": pl.String(),
    **dict.fromkeys(_AMOUNTS, pl.Int64()),
    "derivation": pl.String(),
    "capacity": pl.Float64(),
}


@dataclass(frozen=True)
class StepUsed:
    """What a node's step was derived with; ``per``: what one of ``metric`` brings of ``to``."""

    metric: str
    to: str
    node_key: str
    per: Found
    lead_days: Found | None


@dataclass(frozen=True)
class StepUnknown:
    """A step that derives nothing: ``to`` has no target, or (``nodes``) history knows too few cases, ``n`` at most."""

    metric: str
    to: str
    nodes: tuple[str, ...] = ()
    n: int = 0


@dataclass(frozen=True)
class ActivityTargets:
    """Rows of ``PLAN_TARGET``, the figures that they were derived with, and the steps that could not be."""

    rows: pl.DataFrame
    used: tuple[StepUsed, ...] = ()
    unknown: tuple[StepUnknown, ...] = ()


def activity_targets(
    version: PlanVersion,
    cells: pl.DataFrame,
    history: FunnelHistory,
    fiscal: FiscalCalendar,
    working_days: Iterable[date],
    before: pl.DataFrame | None = None,
) -> ActivityTargets:
    """Derive the targets of every metric that a step names and the plan states no target of its own for.

    Args:
        version: its funnel is followed from results to first steps, in whatever order it is written.
        cells: columns ``PLAN_TARGET``: the version's allocated targets, every period and node.
        history: what the funnel itself says, for steps that ask for it.
        fiscal: the company's fiscal year.
        working_days: of the fiscal year, and of the longest lead time before it.
        before: all rows of the version before, its activity targets among them. Months before ``effective_on`` are
            carried over; what the new version would have asked for in them beyond that falls on its first month.

    Returns:
        Rows with derivation ``funnel`` for a leaf's month, ``carried``, ``sum of nodes`` and ``sum of periods``. A
        leaf's months are whole units: at each month's end it has been asked for what is needed by then, and for less
        than a unit more. ``rounding_hundredths`` is what that added. Stretch is never below base.

    Raises:
        ConfigError: steps go in a circle.
    """
    steps = version.whole.funnel or ()
    if not steps:
        return ActivityTargets(pl.DataFrame(schema=PLAN_TARGET))
    year = PlanYear(fiscal, version.year, frozenset(working_days))
    chain, old, first = _Chain(LeafPlan(cells, year), history, year), None, 0
    if before is not None:
        derived = {step.metric for step in steps} - chain.plan.metrics
        stated = before.filter(~pl.col("metric").is_in(list(derived)))
        old, first = _Chain(LeafPlan(stated, year), history, year), year.places[version.effective_on]
    found = [pl.DataFrame(schema=PLAN_TARGET)]
    for metric, own in results_first(steps):
        if metric in chain.plan.metrics:
            continue
        needs, earlier = chain.follow(metric, own), old.follow(metric, own) if old else {}
        rows = [row for node, need in needs.items() for row in _leaf(chain.plan, node, need, earlier.get(node), first)]
        months = _up_the_tree(pl.DataFrame(rows, schema=_MONTHS, orient="row"), chain.plan)
        if before is not None:
            months = pl.concat([_carried(before, metric, year, first), months])
        found.append(_every_period(months, version, metric, fiscal))
    return ActivityTargets(pl.concat(found), tuple(chain.used), tuple(chain.unknown))


def results_first(steps: Iterable[FunnelStep]) -> Iterator[tuple[str, list[FunnelStep]]]:
    """Each metric with the steps that lead on from it, those it leads to before it.

    Raises:
        ConfigError: they go in a circle.
    """
    leads_to: dict[str, set[str]] = {}
    for step in steps:
        leads_to.setdefault(step.metric, set()).add(step.to)
    try:
        order = list(TopologicalSorter(leads_to).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ConfigError([f"funnel: expected steps that end at a result, found a circle: {circle}"]) from error
    for metric in sorted(leads_to, key=lambda one: (order.index(one), one)):
        yield metric, [step for step in steps if step.metric == metric]


class _Chain:
    """Needs of one plan's leaves, step by step."""

    def __init__(self, plan: LeafPlan, history: FunnelHistory, year: PlanYear) -> None:
        self.plan = plan
        self.used: list[StepUsed] = []
        self.unknown: list[StepUnknown] = []
        self._history = history
        self._year = year
        self._needs: dict[str, dict[str, Needed]] = {}

    def follow(self, metric: str, steps: list[FunnelStep]) -> dict[str, Needed]:
        """What each leaf needs of the metric; of one that serves several, for all of them together."""
        needs: dict[str, Needed] = {}
        for step in steps:
            for node, need in self._of(step).items():
                needs[node] = needs[node] + need if node in needs else need
        self._needs[metric] = needs
        return needs

    def _of(self, step: FunnelStep) -> dict[str, Needed]:
        wanted = self.plan.stated(step.to) if step.to in self.plan.metrics else self._needs.get(step.to)
        if not wanted:
            self.unknown.append(StepUnknown(step.metric, step.to))
            return {}
        found: dict[str, Needed] = {}
        thin = []
        for node, need in wanted.items():
            used = self._used(step, node)
            if used is None:
                thin.append(node)
                continue
            self.used.append(used)
            days = int(used.lead_days.value) if used.lead_days else 0
            base, stretch = (
                days_earlier(part.over(used.per.value), days, self._year, self.plan, node) if part else None
                for part in (need.base, need.stretch)
            )
            found[node] = Needed(base or need.base, stretch)
        if thin:
            self.unknown.append(
                StepUnknown(step.metric, step.to, tuple(thin), self._history.most((step.metric, step.to)))
            )
        return found

    def _used(self, step: FunnelStep, node: str) -> StepUsed | None:
        link, path = (step.metric, step.to), self.plan.path(node)
        given = step.rate if step.rate is not None else step.value
        per = self._history.per(link, path) if given == "history" or given is None else Found(Fraction(given))
        if per is None:
            return None
        if step.lead_days == "history":
            return StepUsed(*link, node, per, self._history.days(link, path))
        return StepUsed(*link, node, per, Found(Fraction(step.lead_days)))


def _leaf(plan: LeafPlan, node: str, need: Needed, old: Needed | None, first: int) -> Iterator[tuple[object, ...]]:
    """A leaf's months in whole units, from the version's first month on."""
    base, stretch = need.base, need.stretch
    if first:
        then = old or Needed(Months(), None)
        base = base + base.beyond(then.base, first)
        stretch = stretch and stretch + stretch.beyond(then.stretch or then.base, first)
    asked, more, due = 0, 0, 0
    tops = stretch.running(first) if stretch else None
    for offset, running in enumerate(base.running(first)):
        place = first + offset
        due += base.parts[place]
        units = running - asked
        asked = running
        above = max(0, tops[offset] - running - more) if tops else None
        more += above or 0
        if (node, place) in plan.parents:
            rounded = round(100 * Fraction(units * base.whole - base.parts[place], base.whole))
            top = None if above is None else 100 * (units + above)
            capacity = plan.capacity.get((node, place))
            yield place, node, plan.parents[node, place], 100 * units, top, rounded, "funnel", capacity


def _up_the_tree(leaves: pl.DataFrame, plan: LeafPlan) -> pl.DataFrame:
    """The leaves' months and those of all nodes above them, each the sum of what stands below it in the month."""
    above = pl.DataFrame(
        [(node, place, parent, plan.capacity.get((node, place))) for (node, place), parent in plan.parents.items()],
        schema={name: _MONTHS[name] for name in ("node_key", "place", "parent_node_key", "capacity")},
        orient="row",
    )
    levels, level = [], leaves
    while not (
        level := _summed(level.filter(pl.col("parent_node_key").is_not_null()), ["place", "parent_node_key"])
    ).is_empty():
        level = level.rename({"parent_node_key": "node_key"}).join(above, on=["node_key", "place"], how="left")
        levels.append(level)
    if not levels:
        return leaves
    inner = _summed(pl.concat(levels), ["place", "node_key", "parent_node_key", "capacity"])
    return pl.concat([leaves, inner.with_columns(derivation=pl.lit("sum of nodes")).select(list(_MONTHS))])


def _summed(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Amounts added up; a sum of which a part is unknown is unknown."""
    whole = pl.col("stretch_hundredths").is_not_null().all()
    return frame.group_by(by).agg(
        pl.col("base_hundredths").sum(),
        pl.when(whole).then(pl.col("stretch_hundredths").sum()).alias("stretch_hundredths"),
        pl.col("rounding_hundredths").sum(),
    )


def _carried(before: pl.DataFrame, metric: str, year: PlanYear, first: int) -> pl.DataFrame:
    """The metric's months of the version before, up to the new one's first."""
    starts = list(year.places)[:first]
    return before.filter(
        pl.col("metric") == metric, pl.col("period_kind") == "month", pl.col("period_start_on").is_in(starts)
    ).select(
        pl.col("period_start_on").replace_strict(year.places, default=None, return_dtype=pl.Int64).alias("place"),
        "node_key",
        "parent_node_key",
        "base_hundredths",
        "stretch_hundredths",
        pl.col("rounding_hundredths").cast(pl.Int64),
        pl.lit("carried").alias("derivation"),
        "capacity",
    )


def _every_period(months: pl.DataFrame, version: PlanVersion, metric: str, fiscal: FiscalCalendar) -> pl.DataFrame:
    """Rows of ``PLAN_TARGET`` of one metric: its months, and their quarters, halves and year."""
    frames = []
    for kind, length in MONTHS_OF.items():
        starts = {place: period.start_on for place, period in enumerate(fiscal.periods(version.year, kind))}
        rows = months if kind == "month" else _longer(months, length)
        frames.append(
            rows.with_columns(
                pl.col("place").replace_strict(starts, return_dtype=pl.Date).alias("period_start_on"),
                plan_version=pl.lit(version.id),
                metric=pl.lit(metric),
                unit=pl.lit("count"),
                period_kind=pl.lit(kind),
                weight=pl.lit(None, pl.Float64),
            ).select(pl.col(name).cast(dtype) for name, dtype in PLAN_TARGET.items())
        )
    return pl.concat(frames).sort("period_kind", "period_start_on", "node_key")


def _longer(months: pl.DataFrame, length: int) -> pl.DataFrame:
    """Months added up to periods of ``length`` months; a node stands where it stands in the last of them."""
    placed = months.sort("place").with_columns(pl.col("place") // length)
    last = placed.group_by("place", "node_key").agg(pl.col("parent_node_key").last())
    summed = _summed(placed, ["place", "node_key"]).join(last, on=["place", "node_key"])
    return summed.with_columns(derivation=pl.lit("sum of periods"), capacity=pl.lit(None, pl.Float64))
