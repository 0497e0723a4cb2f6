"""What no field shows by itself: a plan that names what is not there, or says two things at once.

Every fault is found before the first is told. What a version takes from the versions before it counts as said. Nodes
are known only where the plan names its people; with ``people_from``, or without ``people``, nothing is said of them.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from flows.config.fiscal import FiscalCalendar, Period
from flows.config.plan.incentives import clawback_fault, pay_faults, splits_fault
from flows.config.plan.metrics import PlanMetric, not_measured, plan_metric
from flows.config.plan.model import Person, Plan, Responsible
from flows.config.plan.versions import KEYS, PlanVersion, key_of, resolved
from flows.config.yaml_file import Place, Where

T = TypeVar("T")
_Faults = Iterator[tuple[Where, str]]


@dataclass(frozen=True)
class Company:
    """What a plan is held against.

    Attributes:
        fiscal: how the company counts its year.
        currency: in which it reports.
        stages: keys of its funnel.
    """

    fiscal: FiscalCalendar
    currency: str
    stages: Collection[str]


def plan_faults(plan: Plan, company: Company, at: Place) -> list[str]:
    """A line for each fault: where, what was expected, what was found.

    Args:
        plan: as written; each field is valid by itself.
        company: what it is held against.
        at: tells a place of the plan, with file and line or with sheet, row and column.
    """
    return [f"{at(where)}: {message}" for where, message in faults_by_place(plan, company)]


def faults_by_place(plan: Plan, company: Company) -> list[tuple[Where, str]]:
    """The same by the place in the plan."""
    found = list(_goals(plan))
    nodes = _nodes(plan)
    for number, version in enumerate(resolved(plan)):
        found += _Version(plan, version, ("versions", number), company, nodes).faults()
    return found


def _goals(plan: Plan) -> _Faults:
    """Ids are one namespace, so that an action can be spoken of by its id alone."""
    goals = {goal.id: goal for goal in plan.goals}
    seen: set[str] = set()
    for where, one in _responsible(plan):
        if one.id in seen:
            yield (*where, "id"), f"expected each id once among goals, initiatives and actions; found {one.id!r} again"
        seen.add(one.id)
    for number, goal in enumerate(plan.goals):
        where = ("goals", number, "parent")
        if goal.parent is not None and goal.parent not in goals:
            yield where, f"expected the id of a goal ({_listed(goals)}); found {goal.parent!r}"
        above, passed = goal.parent, {goal.id}
        while above is not None and above in goals and above not in passed:
            passed.add(above)
            above = goals[above].parent
        if above == goal.id:
            yield where, f"expected a goal above it, found {goal.id!r} above itself"


def _responsible(plan: Plan) -> Iterator[tuple[Where, Responsible]]:
    for first, goal in enumerate(plan.goals):
        yield ("goals", first), goal
        for second, initiative in enumerate(goal.initiatives):
            here: Where = ("goals", first, "initiatives", second)
            yield here, initiative
            for third, action in enumerate(initiative.actions):
                yield (*here, "actions", third), action


def _nodes(plan: Plan) -> frozenset[str] | None:
    """Keys of all nodes that the people of any version stand in; None where the plan does not name them."""
    if any(version.people_from for version in plan.versions):
        return None
    people = [person for version in resolved(plan) for person in version.whole.people]
    return frozenset({"company", *(node for person in people for node in _chain(person))}) if people else None


def _chain(person: Person) -> Iterator[str]:
    yield f"rep:{person.user_id}"
    if person.region is not None:
        yield f"region:{person.region}"
    if person.team is not None:
        yield f"team:{person.region or '-'}/{person.team}"


class _Version:
    """One version, held against its plan; ``own`` is what it states itself, ``whole`` what holds."""

    def __init__(
        self, plan: Plan, version: PlanVersion, where: Where, company: Company, nodes: frozenset[str] | None
    ) -> None:
        self._plan, self._version, self._where, self._company, self._nodes = plan, version, where, company, nodes
        self._own, self._whole = version.own, version.whole
        self._year = company.fiscal.periods(plan.year, "year")[0]
        self._people = {person.user_id for person in self._whole.people}

    def faults(self) -> list[tuple[Where, str]]:
        """All of them."""
        said = (self._dates, self._repeated, self._withdrawn, self._taken_over)
        asked = (self._targets, self._pins, self._persons, self._split, self._rates)
        followed = (self._funnel, self._capacity, self._pay)
        return [(self._where + where, message) for part in (*said, *asked, *followed) for where, message in part()]

    def _dates(self) -> _Faults:
        starts = {month.start_on for month in self._company.fiscal.periods(self._plan.year, "month")}
        if self._own.effective_on not in starts:
            yield (
                ("effective_on",),
                f"expected the first day of a fiscal month of {self._plan.year}, found {self._own.effective_on}",
            )
        if self._version.decided_on > self._year.end_on:
            yield (
                ("decided_on",),
                f"expected a day before the year is over ({self._year.end_on}), found {self._version.decided_on}: "
                "no period would ever be held against this version",
            )

    def _repeated(self) -> _Faults:
        for section in KEYS:
            seen = set()
            for number, entry in enumerate(getattr(self._own, section)):
                key = key_of(section, entry)
                if key in seen:
                    said = " · ".join(str(part) for part in key if part is not None)
                    yield (section, number), f"expected each entry once a version, found {said} a second time"
                seen.add(key)

    def _withdrawn(self) -> _Faults:
        before = self._version.before.whole if self._version.before else None
        for number, one in enumerate(self._own.withdrawn):
            where: Where = ("withdrawn", number)
            section, key = one.withdraws
            if not any(key_of(section, entry) == key for entry in getattr(before, section, ())):
                yield where, f"expected what the version before asks for, found none of its {section} of that name"
            if any(key_of(section, entry) == key for entry in getattr(self._own, section)):
                yield (
                    where,
                    f"expected it withdrawn or stated, found it among the {section} of this version as well",
                )
            period = self._company.fiscal.named(self._plan.year, one.period) if one.period else None
            if period and period.end_on < self._own.effective_on:
                yield (*where, "period"), self._past(one.period, period)

    def _past(self, name: str | None, period: Period) -> str:
        return (
            f"expected a period that is not over when this version takes effect ({self._own.effective_on}), "
            f"found {name}, which ends on {period.end_on}: past months keep their version"
        )

    def _taken_over(self) -> _Faults:
        """An entry is restated field by field: what it takes over may contradict what it says."""
        if self._version.before is None:
            return
        for section in KEYS:
            merged = {key_of(section, entry): entry for entry in getattr(self._whole, section)}
            for number, entry in enumerate(getattr(self._own, section)):
                whole = merged[key_of(section, entry)]
                try:
                    type(whole).model_validate(whole.model_dump())
                except ValidationError as error:
                    for fault in error.errors(include_url=False):
                        message = fault["msg"].removeprefix("Value error, ")
                        yield (section, number), f"together with what it takes from the version before: {message}"

    def _targets(self) -> _Faults:
        goals = {goal.id for goal in self._plan.goals}
        measured = {capacity.metric for capacity in self._whole.capacity}
        for number, target in enumerate(self._own.targets):
            where: Where = ("targets", number)
            yield from self._metric((*where, "metric"), target.metric)
            yield from self._node((*where, "node"), target.node)
            yield from self._amounts(where, target.metric, target.base, target.stretch)
            if target.goal is not None and target.goal not in goals:
                yield (*where, "goal"), f"expected the id of a goal ({_listed(goals)}); found {target.goal!r}"
            if target.proposals and target.proposals.capacity and target.metric not in measured:
                yield (
                    (*where, "proposals", "capacity"),
                    f"expected an entry of {target.metric} in the section capacity, found none",
                )
        # A target that is taken over has to keep its rate; the place is where this version could mend it.
        own = {key_of("targets", target): number for number, target in enumerate(self._own.targets)}
        for target in self._whole.targets:
            number = own.get(key_of("targets", target), -1)
            place: Where = ("targets", number, "currency") if number >= 0 else ("budget_rates",)
            yield from self._currency(place, target.metric, target.currency)

    def _currency(self, where: Where, metric: str, currency: str | None) -> _Faults:
        if currency is None:
            return
        measure = plan_metric(metric)
        if measure is not None and measure.unit != "money":
            yield where, f"expected no currency for {metric}, which is a {measure.unit}; found {currency}"
        elif currency != self._company.currency and currency not in (self._whole.budget_rates or {}):
            yield where, f"expected a rate of {currency} in budget_rates ({self._company.currency} a unit), found none"

    def _pins(self) -> _Faults:
        before = self._version.before
        kept = {key_of("pins", pin): pin for pin in before.whole.pins} if before else {}
        seen: dict[tuple[str, str, Period], str] = {}
        for number, pin in enumerate(self._own.pins):
            where: Where = ("pins", number)
            yield from self._metric((*where, "metric"), pin.metric)
            yield from self._node((*where, "node"), pin.node)
            yield from self._amounts(where, pin.metric, pin.base, pin.stretch)
            period = self._company.fiscal.named(self._plan.year, pin.period)
            if period is None:
                yield (
                    (*where, "period"),
                    f"expected a period of fiscal {self._plan.year} ({self._year.start_on} to {self._year.end_on}), "
                    f"such as Q2, M07{self._example()}; found {pin.period!r}",
                )
                continue
            other = seen.setdefault((pin.metric, pin.node, period), pin.period)
            if other != pin.period:
                yield (*where, "period"), f"expected each period once, found {pin.period}, which is {other} again"
            if period.end_on < self._own.effective_on and pin != kept.get(key_of("pins", pin)):
                yield (*where, "period"), self._past(pin.period, period)

    def _example(self) -> str:
        return f" or {self._year.start_on:%Y-%m}" if self._company.fiscal.pattern == "months" else ""

    def _persons(self) -> _Faults:
        ramps = {ramp.id for ramp in self._whole.ramps}
        whole = {person.user_id: person for person in self._whole.people}
        for number, own in enumerate(self._own.people):
            person, where = whole[own.user_id], ("people", number)
            if person.ramp is not None and person.ramp not in ramps:
                yield (*where, "ramp"), f"expected the id of a ramp ({_listed(ramps)}); found {person.ramp!r}"
            for name, value in (("region", person.region), ("team", person.team)):
                if value == "-" or (name == "region" and "/" in (value or "")):
                    yield (*where, name), f"expected a name that is no dash and without a slash, found {value!r}"
            for first, last in (("hired_on", "left_on"), ("hired_on", "counts_from"), ("counts_from", "left_on")):
                start, end = getattr(person, first), getattr(person, last)
                if start is not None and end is not None and end < start:
                    yield (*where, last), f"expected no day before {first} ({start}), found {end}"

    def _split(self) -> _Faults:
        weights = self._own.split_weights
        if self._own.split == "given" and self._whole.split_weights is None:
            yield ("split",), "expected split_weights with split: given, found none"
        if weights is None:
            return
        if self._whole.split != "given":
            yield ("split_weights",), f"expected split: given beside them, found {self._whole.split or 'capacity'}"
        for node in weights:
            if node == "company":
                yield ("split_weights", node), "expected nodes below the company, found the company"
            yield from self._node(("split_weights", node), node)
        if weights and not sum(weights.values()):
            yield ("split_weights",), "expected weights that are not all 0"

    def _rates(self) -> _Faults:
        for currency, rate in (self._own.budget_rates or {}).items():
            where = ("budget_rates", currency)
            if currency == self._company.currency and rate != 1:
                yield where, f"expected 1 for the reporting currency, found {rate}"
            elif not rate:
                yield where, f"expected {self._company.currency} a unit of {currency}, found 0"

    def _funnel(self) -> _Faults:
        seen = set()
        for number, step in enumerate(self._own.funnel or ()):
            where: Where = ("funnel", number)
            if (step.metric, step.to) in seen:
                yield where, f"expected each step once, found {step.metric} to {step.to} a second time"
            seen.add((step.metric, step.to))
            yield from self._metric((*where, "metric"), step.metric)
            yield from self._metric((*where, "to"), step.to)
            first, second = plan_metric(step.metric), plan_metric(step.to)
            if first is None or second is None:
                continue
            if first.unit != "count":
                yield (*where, "metric"), f"expected something that is counted, found {step.metric} ({first.unit})"
            wanted = {"money": "value", "count": "rate"}.get(second.unit)
            if wanted is None:
                yield (*where, "to"), f"expected money or a count, found {step.to} ({second.unit})"
            elif getattr(step, wanted) is None:
                yield where, f"expected {wanted}, because {step.to} is a {second.unit}"

    def _capacity(self) -> _Faults:
        for number, capacity in enumerate(self._own.capacity):
            yield from self._metric(("capacity", number, "metric"), capacity.metric)

    def _pay(self) -> _Faults:
        for number, rule in enumerate(self._own.incentives):
            where: Where = ("incentives", number)
            yield from self._metric((*where, "metric"), rule.metric)
            for position, condition in enumerate(rule.conditions):
                yield from self._metric((*where, "conditions", position, "metric"), condition.metric)
            for position, node in enumerate(rule.applies_to):
                yield from self._node((*where, "applies_to", position), node)
        for section in ("splits", "draws"):
            for number, entry in enumerate(getattr(self._own, section)):
                yield from self._person((section, number, "user_id"), entry.user_id)
        for number, rule in enumerate(self._own.incentives):
            if message := clawback_fault(rule):
                yield ("incentives", number, "clawback"), message
        if self._whole.splits and (message := splits_fault(self._whole.incentives)):
            yield ("incentives", 0) if self._own.incentives else ("splits",), message
        for section, key, message in pay_faults(self._whole.splits, self._whole.draws):
            entries = getattr(self._own, section)
            own = [number for number, entry in enumerate(entries) if key_of(section, entry)[0] == key]
            yield (section, *own[-1:]), f"{key}: {message}"

    def _metric(self, where: Where, metric: str) -> _Faults:
        family, _, member = metric.partition(":")
        if plan_metric(metric) is None:
            yield where, f"{not_measured()}; found {metric!r}"
        elif family == "entered" and member not in self._company.stages:
            yield where, f"expected the key of a stage ({_listed(self._company.stages)}); found {member!r}"

    def _node(self, where: Where, node: str) -> _Faults:
        if self._nodes is not None and node not in self._nodes:
            kind = node.partition(":")[0]
            known = sorted(one for one in self._nodes if one.partition(":")[0] == kind)
            advice = "Correct it, or add its people: hires to come count, too"
            yield (
                where,
                f"expected a node with people of the plan ({_listed(known)}); found {node!r}. {advice}",
            )

    def _person(self, where: Where, user_id: str) -> _Faults:
        if self._nodes is not None and user_id not in self._people:
            yield where, f"expected the user_id of one of the people ({_listed(self._people)}); found {user_id!r}"

    def _amounts(self, where: Where, metric: str, base: Decimal | None, stretch: Decimal | None) -> _Faults:
        for name, amount in (("base", base), ("stretch", stretch)):
            wrong = _not_of(plan_metric(metric), amount) if amount is not None else None
            if wrong:
                yield (*where, name), f"expected {wrong} for {metric}, found {amount:f}"


def _not_of(metric: PlanMetric | None, amount: Decimal) -> str | None:
    """What was expected instead of an amount that its metric cannot have."""
    if metric is not None and metric.unit == "count" and amount != amount.to_integral_value():
        return "a whole number"
    if metric is not None and metric.unit == "percent" and 0 < amount < 1:
        return "a percentage such as 92.5 (and not a share such as 0.925)"
    return None


_MOST_LISTED = 12


def _listed(names: Iterable[Any]) -> str:
    """The first names of a list for a message."""
    known = sorted(names)
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return ", ".join(known[:_MOST_LISTED]) + more if known else "there is none"
