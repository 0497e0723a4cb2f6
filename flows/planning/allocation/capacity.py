"""What people can do in each month of a fiscal year: quota × ramp × active share × days that the plan counts on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import gcd, lcm

import numpy as np

from flows.config.fiscal import FiscalCalendar, Period
from flows.config.plan.model import Person, Ramp
from flows.planning.allocation.rounding import Floats, Ints
from flows.planning.allocation.tree import place_of, upwards

MONTHS = 12


@dataclass(frozen=True)
class WorkingDays:
    """Working days of one calendar; cumulative, so that the days between two dates are a difference.

    Attributes:
        first: day of the first entry.
        passed: working days before each day.
    """

    first: date
    passed: Ints

    @classmethod
    def of(cls, first: date, is_working: Iterable[bool]) -> "WorkingDays":
        """From one flag a day."""
        return cls(first, np.concatenate([[0], np.cumsum(np.fromiter(is_working, dtype=np.int64))]))

    def spans(self, starts: Ints, ends: Ints) -> Ints:
        """Working days between ordinals of dates, both included, of many at once; 0 where the end comes first."""
        last = len(self.passed) - 1
        low = np.clip(starts - self.first.toordinal(), 0, last)
        high = np.clip(ends - self.first.toordinal() + 1, 0, last)
        return np.maximum(0, self.passed[high] - self.passed[low])

    def between(self, start: date, end: date) -> int:
        """Working days from ``start`` to ``end``, both included; 0 where the end comes first."""
        last = len(self.passed) - 1
        low = min(max((start - self.first).days, 0), last)
        high = min(max((end - self.first).days + 1, 0), last)
        return max(0, int(self.passed[high] - self.passed[low]))


def days_along(line: Iterable[str], node_days: Mapping[str, WorkingDays], company: WorkingDays) -> WorkingDays:
    """The calendar of a node: its own, that of the nearest node above it that has one, else the company's.

    Args:
        line: the node and those above it, upwards.
        node_days: calendars of nodes that work other days than the company, with all below them.
        company: everybody else's.
    """
    return next((node_days[node] for node in line if node in node_days), company)


def days_of(person: Person, node_days: Mapping[str, WorkingDays], company: WorkingDays) -> WorkingDays:
    """The calendar that a person works by, where the plan places the person."""
    return days_along((f"rep:{person.user_id}", *upwards(place_of(person))), node_days, company)


@dataclass(frozen=True)
class PersonMonth:
    """How the capacity of a person in a month comes about."""

    quota: Decimal
    tenure_month: int | None
    ramp: Decimal
    active_share: Decimal
    days_counted: int
    working_days: int
    potential: Decimal

    @property
    def capacity(self) -> float:
        """Share of a full head."""
        days = self.days_counted / self.working_days if self.working_days else 0.0
        return float(self.quota * self.ramp * self.active_share) * days


@dataclass(frozen=True)
class Capacities:
    """Capacity of each person and month.

    Attributes:
        weight: capacity × potential, as whole numbers of one scale in each month.
        capacity: share of a full head.
    """

    people: tuple[Person, ...]
    weight: Ints
    capacity: Floats


def person_month(
    person: Person, ramp: Ramp | None, month: Period, fiscal: FiscalCalendar, days: WorkingDays
) -> PersonMonth:
    """The parts of one person's capacity in a month; tenure counts fiscal months, the one of the hire being the first.

    Whoever has no date of hire has always been there.
    """
    start = person.counts_from or person.hired_on or month.start_on
    end = person.left_on or month.end_on
    tenure = None
    if person.hired_on is not None:
        hired = fiscal.period_of(person.hired_on, "month")
        tenure = (month.fiscal_year - hired.fiscal_year) * MONTHS + month.number - hired.number + 1
    return PersonMonth(
        quota=person.quota,
        tenure_month=tenure,
        ramp=_ramped(ramp, tenure),
        active_share=person.active_share,
        days_counted=days.between(max(start, month.start_on), min(end, month.end_on)),
        working_days=days.between(month.start_on, month.end_on),
        potential=person.potential,
    )


def _ramped(ramp: Ramp | None, tenure: int | None) -> Decimal:
    if ramp is None or tenure is None or tenure > len(ramp.shares):
        return Decimal(1)
    # Who counts before the first day at work has the first month's share.
    return ramp.shares[max(tenure, 1) - 1]


def capacities(
    people: Sequence[Person],
    ramps: Mapping[str, Ramp],
    months: Sequence[Period],
    fiscal: FiscalCalendar,
    node_days: Mapping[str, WorkingDays],
    default_days: WorkingDays,
) -> Capacities:
    """Capacity of people in the months of a fiscal year.

    Args:
        people: whom the plan counts on.
        ramps: curves by id.
        months: the twelve fiscal months.
        fiscal: how the company counts its year.
        node_days: calendars of nodes that work other days, with all below them.
        default_days: everybody else's.
    """
    counted, all_days = _days(people, months, [days_of(person, node_days, default_days) for person in people])
    ramp = _ramps(people, ramps, months, fiscal)
    factors = {
        name: _whole([getattr(person, name) for person in people]) for name in ("quota", "active_share", "potential")
    }
    ramp_whole = _whole(ramp.ravel().tolist()).reshape(ramp.shape)
    common = np.array([lcm(*{int(one) for one in column if one} or {1}) for column in all_days.T])
    days_whole = counted * np.where(all_days > 0, common // np.maximum(all_days, 1), 0)
    weight = ramp_whole * days_whole.astype(object)
    for values in factors.values():
        weight = weight * values[:, None]
    for column in range(weight.shape[1]):
        weight[:, column] //= gcd(*weight[:, column]) or 1
    share = np.divide(counted, all_days, out=np.zeros(counted.shape), where=all_days > 0)
    own = np.array([float(person.quota * person.active_share) for person in people])
    return Capacities(tuple(people), _narrow(weight), own[:, None] * ramp.astype(np.float64) * share)


def _days(people: Sequence[Person], months: Sequence[Period], calendars: Sequence[WorkingDays]) -> tuple[Ints, Ints]:
    """Working days of each person and month: those that the plan counts on, and all."""
    counted = np.zeros((len(people), len(months)), dtype=np.int64)
    whole = np.zeros_like(counted)
    never, always = date.min.toordinal(), date.max.toordinal()
    starts = np.array([(day.toordinal() if (day := one.counts_from or one.hired_on) else never) for one in people])
    ends = np.array([one.left_on.toordinal() if one.left_on else always for one in people])
    for calendar in {id(one): one for one in calendars}.values():
        rows = np.array([one is calendar for one in calendars])
        for column, month in enumerate(months):
            first, last = month.start_on.toordinal(), month.end_on.toordinal()
            counted[rows, column] = calendar.spans(np.maximum(starts[rows], first), np.minimum(ends[rows], last))
            whole[rows, column] = calendar.between(month.start_on, month.end_on)
    return counted, whole


def _ramps(
    people: Sequence[Person], ramps: Mapping[str, Ramp], months: Sequence[Period], fiscal: FiscalCalendar
) -> "np.ndarray":
    found = np.full((len(people), len(months)), Decimal(1), dtype=object)
    first = months[0].fiscal_year * MONTHS + months[0].number
    hired_in: dict[date, int] = {}
    for row, person in enumerate(people):
        ramp = ramps.get(person.ramp or "")
        if ramp is None or person.hired_on is None:
            continue
        if person.hired_on not in hired_in:
            month = fiscal.period_of(person.hired_on, "month")
            hired_in[person.hired_on] = month.fiscal_year * MONTHS + month.number
        tenure = first - hired_in[person.hired_on] + 1
        found[row] = [_ramped(ramp, tenure + number) for number in range(len(months))]
    return found


def _whole(values: Sequence[Decimal]) -> "np.ndarray":
    """Exact whole numbers in the proportions of decimals."""
    places = _places(values)
    return np.array([int(value.scaleb(places)) for value in values], dtype=object)


def _places(values: Iterable[Decimal]) -> int:
    """Decimal places that all values have at most."""
    return max((max(0, -int(value.normalize().as_tuple().exponent)) for value in set(values)), default=0)


def _narrow(weight: "np.ndarray") -> Ints:
    """As machine integers: exact, unless factors have more places than anyone writes; then to 15 digits."""
    most = int(weight.sum(axis=0).max()) if weight.size else 0
    if most >= 2**62:
        weight = weight // (most // 2**61 + 1)
    return weight.astype(np.int64)
