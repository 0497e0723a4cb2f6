"""What people can do in each month of a fiscal year: quota × ramp × active share × days that the plan counts on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import gcd, lcm

import numpy as np

from flows.config.fiscal import FiscalCalendar, Period
from flows.config.plan.model import Person, Ramp
from flows.planning.rounding import Floats, Ints

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

    def between(self, start: date, end: date) -> int:
        """Working days from ``start`` to ``end``, both included; 0 where the end comes first."""
        last = len(self.passed) - 1
        low = min(max((start - self.first).days, 0), last)
        high = min(max((end - self.first).days + 1, 0), last)
        return max(0, int(self.passed[high] - self.passed[low]))


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
    days_of: Mapping[str, WorkingDays],
    default_days: WorkingDays,
) -> Capacities:
    """Capacity of people in the months of a fiscal year.

    Args:
        people: whom the plan counts on.
        ramps: curves by id.
        months: the twelve fiscal months.
        fiscal: how the company counts its year.
        days_of: calendars of people who have one of their own, by user_id.
        default_days: everybody else's.
    """
    parts = [
        [
            person_month(person, ramps.get(person.ramp or ""), month, fiscal, days_of.get(person.user_id, default_days))
            for month in months
        ]
        for person in people
    ]
    scales = {name: _places(getattr(cell, name) for row in parts for cell in row) for name in _FACTORS}
    weight = np.zeros((len(people), len(months)), dtype=object)
    for column in range(len(months)):
        common = lcm(*{row[column].working_days for row in parts if row[column].working_days} or {1})
        for number, row in enumerate(parts):
            cell = row[column]
            whole = cell.days_counted * (common // cell.working_days) if cell.working_days else 0
            for name, places in scales.items():
                whole *= int(getattr(cell, name).scaleb(places))
            weight[number, column] = whole
        weight[:, column] //= gcd(*weight[:, column]) or 1
    capacity = np.array([[cell.capacity for cell in row] for row in parts], dtype=np.float64)
    return Capacities(tuple(people), _narrow(weight), capacity.reshape(len(people), len(months)))


_FACTORS = ("quota", "ramp", "active_share", "potential")


def _places(values: Iterable[Decimal]) -> int:
    """Decimal places that all values have at most."""
    return max((max(0, -int(value.normalize().as_tuple().exponent)) for value in values), default=0)


def _narrow(weight: "np.ndarray") -> Ints:
    """As machine integers: exact, unless factors have more places than anyone writes; then to 15 digits."""
    most = int(weight.sum(axis=0).max()) if weight.size else 0
    if most >= 2**62:
        weight = weight // (most // 2**61 + 1)
    return weight.astype(np.int64)
