"""Whether a target can be reached: against what was reached, what the people can do, what stands in the pipeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from flows.config.fiscal import MONTHS_OF, FiscalCalendar, Period
from flows.config.plan.metrics import plan_metric
from flows.config.plan.model import Capacity, Check, Person, Pin, Target
from flows.config.plan.versions import PlanVersion
from flows.planning.allocation.capacity import WorkingDays, days_of, person_month
from flows.planning.allocation.people import people_of, ramps_of
from flows.planning.check.known import Known
from flows.planning.check.verdicts import Finding

_OF_DEALS = ("bookings", "won_count")
"""Metrics that open deals are to cover."""


@dataclass(frozen=True)
class Reach:
    """What the targets of one version are held against."""

    version: PlanVersion
    known: Known
    fiscal: FiscalCalendar
    days: WorkingDays
    node_days: Mapping[str, WorkingDays]
    currency: str

    @property
    def limits(self) -> Check:
        """From when the version wants objections."""
        return self.version.whole.check or Check()

    def target(self, target: Target) -> Iterator[Finding]:
        """The year's target of a node."""
        amount = self._reporting(target)
        metric = plan_metric(target.metric)
        if amount is None:
            yield Finding("A", "pass", "base_of_proposals")
        elif metric is not None and metric.unit == "percent":
            yield from _share(target.metric, amount)
        else:
            yield from self._growth(target.metric, target.node, amount, self.fiscal.periods(self.version.year, "month"))
            yield from self._capacity(target, amount)
        if target.metric in _OF_DEALS:
            yield from self._coverage(target)
        if metric is not None and not metric.is_activity:
            yield self._probability(target)

    def pin(self, pin: Pin) -> Iterator[Finding]:
        """A cell set by hand: against the same period of last year."""
        period = self.fiscal.named(self.version.year, pin.period)
        metric = plan_metric(pin.metric)
        if period is not None and metric is not None and metric.is_additive:
            first = (period.number - 1) * MONTHS_OF[period.kind]
            months = self.fiscal.periods(self.version.year, "month")[first : first + MONTHS_OF[period.kind]]
            yield from self._growth(pin.metric, pin.node, pin.base, months)

    def _reporting(self, target: Target) -> Decimal | None:
        if target.base is None or target.currency in (None, self.currency):
            return target.base
        rate = (self.version.whole.budget_rates or {}).get(str(target.currency))
        return None if rate is None else target.base * rate

    def _growth(self, metric: str, node: str, amount: Decimal, months: Sequence[Period]) -> Iterator[Finding]:
        known = self.known.months.get((metric, node))
        if self.known.night is None or not known:
            yield Finding("A", "warn", "no_history", {"metric": metric, "node": node})
            return
        base = self._compared(months)
        if base is None:
            yield Finding("A", "warn", "year_not_over", {})
            return
        person = self._by_node.get(node)
        began = person.hired_on if person and person.hired_on else min(known)
        if began > base[0]:
            yield Finding("A", "warn", "history_short", {"node": node, "began": began, "from": base[0]})
            return
        result = sum((known.get(start, Decimal(0)) for start in base), Decimal(0))
        said: dict[str, Any] = {"amount": amount, "result": result, "from": base[0], "to": base[-1]}
        if result <= 0:
            yield Finding("A", "warn", "no_result", said)
            return
        growth = amount / result - 1
        said |= {"growth": growth, "limit": self.limits.max_growth}
        if growth > self.limits.max_growth:
            yield Finding("A", "fail", "growth_high", said)
        else:
            yield Finding("A", "pass", "growth_fits", said)

    def _compared(self, months: Sequence[Period]) -> list[date] | None:
        """First days of the months a year before; for a whole year that is not over, of the last twelve full months."""
        last = self.fiscal.periods(self.version.year - 1, "month")
        same = [last[month.number - 1] for month in months]
        night = self.known.night
        if night is None:
            return None
        if same[-1].end_on <= night:
            return [month.start_on for month in same]
        if len(months) < len(last):
            return None
        earlier = self.fiscal.periods(self.version.year - 2, "month")
        full = [month.start_on for month in (*earlier, *last) if month.end_on <= night]
        return full[-len(last) :]

    @cached_property
    def _people(self) -> tuple[Person, ...]:
        return people_of(self.version, self.known.headcount)

    @cached_property
    def _by_node(self) -> dict[str, Person]:
        return {f"rep:{person.user_id}": person for person in self._people}

    def _capacity(self, target: Target, amount: Decimal) -> Iterator[Finding]:
        stated = next((one for one in self.version.whole.capacity if one.metric == target.metric), None)
        if stated is None or not amount:
            if target.node == "company" and not stated:
                yield Finding("A", "pass", "no_quota", {"metric": target.metric})
            return
        people = [person for person in self._people if _is_below(person, target.node)]
        if not people:
            yield Finding("A", "warn", "no_people", {"node": target.node})
            return
        able, quotas = self._summed(people, stated)
        said = {"able": able, "quotas": quotas, "amount": amount, "people": len(people)}
        share, limit = able / amount, self.limits.min_capacity
        short = share < limit
        yield Finding("A", "fail" if short else "pass", "capacity_short" if short else "capacity_fits",
                      {**said, "share": share, "limit": limit})  # fmt: skip
        over, most = quotas / amount - 1, self.limits.max_over_assignment
        if over > most:
            yield Finding("A", "fail", "over_assigned", {**said, "over": over, "limit": most})
        elif over < 0:
            yield Finding("A", "warn", "under_assigned", {**said, "over": over})
        else:
            yield Finding("A", "pass", "assigned", {**said, "over": over, "limit": most})

    def _summed(self, people: Sequence[Person], stated: Capacity) -> tuple[Decimal, Decimal]:
        """Σ quota × ramp × active share × expected attainment; Σ quota of the days that the plan counts on."""
        ramps = ramps_of(self.version, people)
        able = quotas = Decimal(0)
        for month in self.fiscal.periods(self.version.year, "month"):
            for person in people:
                days = days_of(person, self.node_days, self.days)
                cell = person_month(person, ramps.get(person.ramp or ""), month, self.fiscal, days)
                there = Decimal(cell.days_counted) / cell.working_days if cell.working_days else Decimal(0)
                quota = stated.quota_per_head / 12 * cell.quota * there
                quotas += quota
                able += quota * cell.ramp * cell.active_share * stated.expected_attainment
        return able, quotas

    def _coverage(self, target: Target) -> Iterator[Finding]:
        found = self.known.quarter.get((target.metric, target.node))
        if found is None or found.target is None or self._is_other_year(found.period_start_on):
            yield Finding("A", "warn", "no_coverage", {})
        elif found.coverage_remaining is not None:
            required = float(self.limits.min_coverage) if found.coverage_required is None else found.coverage_required
            low = found.coverage_remaining < required
            said = {"coverage": found.coverage_remaining, "required": required, "start": found.period_start_on}
            origin = "own" if found.coverage_required is not None else "limit"
            yield Finding("A", "warn" if low else "pass", f"coverage_{'low' if low else 'fits'}_{origin}", said)
        else:
            yield Finding("A", "pass", "coverage_none_left", {"start": found.period_start_on})

    def _probability(self, target: Target) -> Finding:
        found = self.known.year.get((target.metric, target.node))
        if found is None or found.probability is None or self._is_other_year(found.period_start_on):
            return Finding("A", "pass", "no_probability")
        limit = float(self.limits.min_probability)
        low = found.probability < limit
        return Finding("A", "fail" if low else "pass", "probability_low" if low else "probability_fits",
                       {"probability": found.probability, "limit": limit})  # fmt: skip

    def _is_other_year(self, day: date) -> bool:
        return self.fiscal.year_of(day) != self.version.year


def _share(metric: str, amount: Decimal) -> Iterator[Finding]:
    """A rate is of something: more than all of it is no target."""
    if amount > 100 and metric != "collection_rate":
        yield Finding("A", "fail", "share_over_all", {"metric": metric, "amount": amount})


def _is_below(person: Person, node: str) -> bool:
    return node in (
        "company",
        f"region:{person.region}",
        f"team:{person.region or '-'}/{person.team}",
        f"rep:{person.user_id}",
    )
