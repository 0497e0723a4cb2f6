"""One plan version as rows: every metric × period × node, with how each amount came about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.metrics import PlanMetric, plan_metric
from flows.config.plan.model import Person, Seasonality
from flows.config.plan.versions import PlanVersion
from flows.planning.allocation.capacity import Capacities, WorkingDays, capacities, days_along
from flows.planning.allocation.cells import Months, month_rows, rate_rows, with_periods
from flows.planning.allocation.decompose import Answer, How, Question, decompose
from flows.planning.allocation.history import History
from flows.planning.allocation.people import ramps_of
from flows.planning.allocation.rounding import Floats, Ints
from flows.planning.allocation.seasonality import MONTHS, Season, season
from flows.planning.allocation.split import split_weights
from flows.planning.allocation.statements import (
    HUNDRED,
    AmountsRefused,
    Faults,
    Stated,
    metrics_stated,
    stated_pins,
    stated_targets,
)
from flows.planning.allocation.sums import Span, Sum
from flows.planning.allocation.tree import Tree, plant
from flows.planning.allocation.ways import Ways
from flows.warehouse.inputs import PLAN_TARGET


@dataclass(frozen=True)
class Setting:
    """What a plan is allocated in, beside what it says.

    Attributes:
        fiscal: how the company counts its year.
        currency: reporting currency; all money ends up in it.
        history: results up to the night.
        days: working days of the company's calendar.
        node_days: of nodes that work other days than the company, with all below them.
        working_days: of the planned years and the year before.
        marts: the database whose funnel activity targets are derived through; None: no funnel is followed.
        unannounced: calendars and years whose adjusted days the government has not announced yet.
    """

    fiscal: FiscalCalendar
    currency: str
    history: History
    days: WorkingDays
    node_days: Mapping[str, WorkingDays] = field(default_factory=dict)
    working_days: tuple[date, ...] = ()
    marts: Path | None = None
    unannounced: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True)
class Allocation:
    """A version with all that its amounts follow from.

    Attributes:
        version: as resolved.
        targets: columns ``PLAN_TARGET``.
        tree: the organisation it was decomposed along.
        capacity: what people can do.
        seasons: of each metric and node that states a target.
        ways: growth, trend and capacity beside the targets.
        start: first month that this version decomposes; those before are carried.
        notes: what a person should know, in words.
    """

    version: PlanVersion
    targets: pl.DataFrame
    tree: Tree
    capacity: Capacities
    seasons: Mapping[tuple[str, str], Season]
    ways: Ways
    start: int
    notes: tuple[str, ...]


def allocate(
    version: PlanVersion,
    people: tuple[Person, ...],
    setting: Setting,
    before: pl.DataFrame | None,
    where: str,
) -> Allocation:
    """Allocate a version.

    Args:
        version: with all that it takes from those before it.
        people: whom it counts on.
        setting: calendar, money, history.
        before: targets of the version before it, of whose months it carries those that are past when it takes effect.
        where: how messages name it: file and version.

    Raises:
        AmountsRefused: with one line for each amount that cannot hold.
    """
    return _Allocator(version, people, setting, before, where).run()


class _Allocator:
    def __init__(
        self,
        version: PlanVersion,
        people: tuple[Person, ...],
        setting: Setting,
        before: pl.DataFrame | None,
        where: str,
    ) -> None:
        self.version, self.setting, self.before = version, setting, before
        self.faults = Faults(where, [])
        self.notes: list[str] = []
        self.seasons: dict[tuple[str, str], Season] = {}
        self.months = setting.fiscal.periods(version.year, "month")
        self.start = next(number for number, month in enumerate(self.months) if month.end_on >= version.effective_on)
        named = {target.node for target in version.whole.targets} | {pin.node for pin in version.whole.pins}
        named |= set(version.whole.split_weights or {})
        self.people = tuple(sorted(people, key=lambda person: person.user_id))
        self.tree, unknown = plant(self.people, named, setting.history.parents)
        for key in unknown:
            text = (
                "nobody of this user_id stands in the plan's people or in the organisation; add the person, or mend it"
            )
            self.faults.add(f"nodes[{key}]", text)
        ramps = ramps_of(version, self.people)
        for person in self.people:
            if person.ramp and person.ramp not in ramps:
                text = f"expected a ramp of the plan, found {person.ramp!r}; known: {', '.join(ramps) or 'none'}"
                self.faults.add(f"people[{person.user_id}].ramp", text)
        self.capacity = capacities(self.people, ramps, self.months, setting.fiscal, setting.node_days, setting.days)
        self.node_capacity: Floats = self.tree.summed_up(self._by_node(self.capacity.capacity))
        self.weights: Ints = self.tree.summed_up(self._by_node(self.capacity.weight))
        persons = np.zeros((len(self.tree.keys), 1), dtype=np.int64)
        persons[self._places()] = 1
        self.has_people = self.tree.summed_up(persons)[:, 0] > 0
        self.parents = {key: self.tree.keys[self.tree.parent[at]] for key, at in self.tree.place.items() if at}
        in_full = tuple(one.model_copy(update={"ramp": None, "active_share": Decimal(1)}) for one in self.people)
        held = capacities(in_full, {}, self.months, setting.fiscal, setting.node_days, setting.days)
        self.ways = Ways(
            version,
            self.tree,
            self.node_capacity,
            self.tree.summed_up(self._by_node(held.capacity)),
            setting.history,
            setting.fiscal,
            self._season,
        )

    def run(self) -> Allocation:
        self._note_estimated_calendars()
        frames = [pl.DataFrame(schema=PLAN_TARGET)]
        for key in metrics_stated(self.version):
            metric = plan_metric(key)
            if metric is not None:
                frames.append(self._metric(metric))
        if self.faults.found:
            raise AmountsRefused(self.faults)
        targets = pl.concat(frames).sort("metric", "period_kind", "period_start_on", "node_key")
        return Allocation(
            self.version,
            targets,
            self.tree,
            self.capacity,
            self.seasons,
            self.ways,
            self.start,
            tuple(dict.fromkeys(self.notes)),
        )

    def _metric(self, metric: PlanMetric) -> pl.DataFrame:
        blends = self.ways.bases(metric, self.parents, self.faults)
        targets = stated_targets(self.version, metric, self.setting.currency, blends, self.faults)
        pins = stated_pins(self.version, metric, self.setting.fiscal, self.faults)
        known = set(self.tree.keys)
        stated = [one for one in (*targets, *pins) if one.node in known]
        months = Months(self.version, metric, self.setting.fiscal, self.tree, self.start, self._carried(metric))
        if not metric.is_additive:
            return rate_rows(months, stated)
        unit = HUNDRED if metric.unit == "count" else 1
        seasons = {one.node: self._season(metric, one.node) for one in targets if one.node in known}
        self.seasons |= {(metric.key, node): one for node, one in seasons.items()}
        weights = split_weights(
            self.version, metric, self.tree, self.weights, self.setting, self.months, self.faults, self.notes
        )
        base, excess = self._carried_units(months, unit)
        answer = self._decompose(metric, stated, seasons, weights, base, unit, is_stretch=False)
        above = None
        if answer is not None and any(one.stretch is not None for one in stated):
            with_stretch = [one for one in stated if one.stretch is not None]
            above = self._decompose(metric, with_stretch, seasons, weights, excess, unit, is_stretch=True)
        if answer is None:
            return pl.DataFrame(schema=PLAN_TARGET)
        self._note_seasons_that_yield(metric, answer)
        return with_periods(months, month_rows(months, answer, above, self.node_capacity, unit), stated)

    def _decompose(
        self,
        metric: PlanMetric,
        stated: list[Stated],
        seasons: Mapping[str, Season],
        weights: Ints,
        carried: Ints,
        unit: int,
        *,
        is_stretch: bool,
    ) -> Answer | None:
        sums: dict[int, dict[Span, Sum]] = {}
        for one in stated:
            amount = (one.stretch or 0) - one.base if is_stretch else one.base
            cell = sums.setdefault(self.tree.place[one.node], {})
            span = (one.first, one.last)
            new = Sum(amount // unit, one.place, one.is_target)
            if span in cell and cell[span].amount != new.amount:
                text = "expected the pin of the year to be what the target says, found another amount; keep one of them"
                self.faults.add(f"pins[{metric.key}, {one.node}, {one.period}]", text)
            cell.setdefault(span, new)
        question = Question(
            self.tree,
            weights,
            self.has_people,
            np.asarray(self.weights.any(axis=1)),
            sums,
            {self.tree.place[node]: one.weights for node, one in seasons.items()},
            self.start,
            carried,
            in_turn=unit != 1,
        )
        found: list[str] = []
        answer = decompose(question, found)
        for fault in found:
            place, _, text = fault.partition(": ")
            what = f"stretch above base of {metric.key}" if is_stretch else metric.key
            self.faults.add(f"{what}, {place}", _readable(text, unit))
        return None if found else answer

    def _note_estimated_calendars(self) -> None:
        years = {day.year for month in self.months[self.start :] for day in (month.start_on, month.end_on)}
        for calendar, year in sorted(self.setting.unannounced):
            if year in years:
                self.notes.append(
                    f"{self.version.id}: the adjusted days of {year} in {calendar} are not announced yet; its working "
                    "days are counted by the statutory holidays"
                )

    def _note_seasons_that_yield(self, metric: PlanMetric, answer: Answer) -> None:
        """A season of its own holds only as far as the months above it leave room."""
        for target in self.version.whole.targets:
            if target.metric != metric.key or target.seasonality is None or target.node not in self.tree.place:
                continue
            if (answer.how[self.tree.place[target.node], self.start :] == How.SPLIT).any():
                self.notes.append(
                    f"{self.version.id}: {metric.key} at {target.node}: its own seasonality does not fit into "
                    f"the months of {self.parents.get(target.node, target.node)}; its year holds, not its months"
                )

    def _season(self, metric: PlanMetric, node: str) -> Season:
        asked = next(
            (
                target.seasonality
                for target in self.version.whole.targets
                if target.metric == metric.key and target.node == node and target.seasonality
            ),
            self.version.whole.seasonality or Seasonality(),
        )
        past = []
        if asked.by in ("history", "blend"):
            history = self.setting.history
            past = history.past_years(metric.key, node, self.version.year, self.setting.fiscal, self.parents)
        found = season(asked, past, self._working_days(node))
        if found.fell_back:
            self.notes.append(
                f"{self.version.id}: {metric.key} at {node}: no full past fiscal year of results; months are weighted "
                + ("by the given weights alone" if found.by == "given" else "by their working days")
            )
        return found

    def _working_days(self, node: str) -> list[int]:
        """Of the months, at a node."""
        place = self.tree.place[node]
        line = [node, *(self.tree.keys[above] for above in self.tree.above(place))]
        days = days_along(line, self.setting.node_days, self.setting.days)
        return [days.between(month.start_on, month.end_on) for month in self.months]

    def _carried(self, metric: PlanMetric) -> pl.DataFrame:
        if self.before is None:
            return pl.DataFrame(schema=PLAN_TARGET)
        return self.before.filter(pl.col("metric") == metric.key)

    def _carried_units(self, months: Months, unit: int) -> tuple[Ints, Ints]:
        base = np.zeros((len(self.tree.keys), MONTHS), dtype=np.int64)
        excess = np.zeros_like(base)
        for node, start, amount, stretch in months.carried_months().iter_rows():
            place = self.tree.place.get(node)
            if place is not None:
                base[place, start] = amount // unit
                excess[place, start] = ((amount if stretch is None else stretch) - amount) // unit
        return base, excess

    def _places(self) -> list[int]:
        return [self.tree.place[f"rep:{person.user_id}"] for person in self.people]

    def _by_node(self, values: Any) -> Any:
        found = np.zeros((len(self.tree.keys), MONTHS), dtype=values.dtype)
        found[self._places()] = values
        return found


def _readable(text: str, unit: int) -> str:
    """Amounts in units as a person reads them."""
    return re.sub(
        r"\{(-?\d+)\}", lambda found: f"{Decimal(int(found[1]) * unit).scaleb(-2):,}".removesuffix(".00"), text
    )
