"""Exact needs of a step of the funnel, by leaf and month, and where they fall when they have to come days earlier."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from math import gcd

import polars as pl

from flows.config.fiscal import FiscalCalendar, Period

_DAYS_OFF = 15
"""No country stops working for longer."""


@dataclass(frozen=True)
class Months:
    """Twelve exact amounts in order of the fiscal year: ``parts`` over one ``whole``."""

    parts: tuple[int, ...] = (0,) * 12
    whole: int = 1

    def __add__(self, other: "Months") -> "Months":
        """Month by month."""
        pairs = zip(self.parts, other.parts, strict=True)
        return _reduced([a * other.whole + b * self.whole for a, b in pairs], self.whole * other.whole)

    def over(self, per: Fraction) -> "Months":
        """Each month divided by ``per``."""
        return _reduced([part * per.denominator for part in self.parts], self.whole * per.numerator)

    def beyond(self, other: "Months", until: int) -> "Months":
        """What the months before ``until`` have more than those of ``other``, together, in the month ``until``."""
        pairs = list(zip(self.parts, other.parts, strict=True))[:until]
        more = sum(max(0, a * other.whole - b * self.whole) for a, b in pairs)
        return _reduced([more if place == until else 0 for place in range(12)], self.whole * other.whole)

    def running(self, first: int) -> list[int]:
        """Running sums from month ``first`` on, each rounded up."""
        sums, due = [], 0
        for part in self.parts[first:]:
            due += part
            sums.append(-(-due // self.whole))
        return sums


def _reduced(parts: Sequence[int], whole: int) -> Months:
    common = gcd(whole, *parts)
    return Months(tuple(part // common for part in parts), whole // common)


@dataclass(frozen=True)
class Needed:
    """A leaf's need of one metric; ``stretch`` None where the plan states none."""

    base: Months
    stretch: Months | None

    def __add__(self, other: "Needed") -> "Needed":
        """Month by month; with a stretch where both have one."""
        both = self.stretch + other.stretch if self.stretch and other.stretch else None
        return Needed(self.base + other.base, both)


class PlanYear:
    """The fiscal year's months, and in which of them their days lie so many days earlier."""

    def __init__(self, fiscal: FiscalCalendar, fiscal_year: int, working_days: frozenset[date]) -> None:
        self.months = fiscal.periods(fiscal_year, "month")
        self.places = {month.start_on: place for place, month in enumerate(self.months)}
        self._fiscal = fiscal
        self._working_days = working_days
        self.earlier = cache(self._earlier)

    def days_of(self, place: int) -> list[date]:
        """The month's working days; every day of a month that has none, or of which none are known."""
        month = self.months[place]
        every = [month.start_on + timedelta(days=offset) for offset in range((month.end_on - month.start_on).days + 1)]
        return [day for day in every if day in self._working_days] or every

    def _earlier(self, days: int) -> tuple[tuple[int, tuple[tuple[int, bool, int], ...]], ...]:
        """For each month: its working days, and how many of them lie ``days`` earlier in which month, or last year's.

        What falls on a day off is due on the working day before.
        """
        return tuple(self._landing(place, month, days) for place, month in enumerate(self.months))

    def _landing(self, place: int, month: Period, days: int) -> tuple[int, tuple[tuple[int, bool, int], ...]]:
        worked = self.days_of(place)
        counts: dict[tuple[int, bool], int] = defaultdict(int)
        for day in worked:
            landed = self._fiscal.period_of(self._worked_by(day - timedelta(days=days)), "month")
            counts[landed.number - 1, landed.fiscal_year < month.fiscal_year] += 1
        return len(worked), tuple((at, is_past, count) for (at, is_past), count in sorted(counts.items()))

    def _worked_by(self, day: date) -> date:
        back = (day - timedelta(days=offset) for offset in range(_DAYS_OFF))
        return next((one for one in back if one in self._working_days), day)


class LeafPlan:
    """The months of allocated targets: what each leaf has to reach, who stands above it, when nobody is there."""

    def __init__(self, cells: pl.DataFrame, year: PlanYear) -> None:
        months = cells.filter(pl.col("period_kind") == "month", pl.col("period_start_on").is_in(list(year.places)))
        self.parents: dict[tuple[str, int], str | None] = {}
        self.capacity: dict[tuple[str, int], float] = {}
        self._above: dict[str, str | None] = {}
        self._stated: dict[str, dict[str, tuple[list[int], list[int | None]]]] = {}
        inner = {(row[0], row[1]) for row in months.select("metric", "parent_node_key").unique().iter_rows()}
        for row in months.sort("metric", "node_key", "period_start_on").iter_rows(named=True):
            metric, node, place = row["metric"], row["node_key"], year.places[row["period_start_on"]]
            self.parents[node, place] = self._above[node] = row["parent_node_key"]
            if row["capacity"] is not None:
                self.capacity[node, place] = max(row["capacity"], self.capacity.get((node, place), 0.0))
            leaves = self._stated.setdefault(metric, {})
            if (metric, node) not in inner:
                base, stretch = leaves.setdefault(node, ([0] * 12, [0] * 12))
                base[place], stretch[place] = row["base_hundredths"], row["stretch_hundredths"]

    @property
    def metrics(self) -> frozenset[str]:
        """Metrics that the plan states targets for."""
        return frozenset(self._stated)

    def stated(self, metric: str) -> dict[str, Needed]:
        """What each leaf has to reach, in whole units."""
        return {
            node: Needed(_reduced(base, 100), _reduced([s or 0 for s in stretch], 100) if None not in stretch else None)
            for node, (base, stretch) in self._stated[metric].items()
        }

    def path(self, node: str) -> tuple[str, ...]:
        """The node and all above it, as the year ends."""
        path = [node]
        while parent := self._above.get(path[-1]):
            path.append(parent)
        return tuple(path)

    def is_away(self, node: str, place: int) -> bool:
        """Whether the plan does not count on the node in the month."""
        return self.capacity.get((node, place)) == 0


def days_earlier(months: Months, days: int, year: PlanYear, plan: LeafPlan, node: str) -> Months:
    """The same, each working day's share so many days earlier; what lies before the year stands for the year after it.

    Where the node is not there yet, it falls on the first month in which it is; what it would have done last year, or
    for a year that it does not stay for, nobody does.
    """
    parts = [0] * 12
    spread = year.earlier(days)
    whole = 1
    for worked, _ in spread:
        whole = whole * worked // gcd(whole, worked)
    for place, part in enumerate(months.parts):
        worked, landings = spread[place]
        for at, is_past, count in landings if part else ():
            there = at
            if plan.is_away(node, at):
                if is_past:
                    continue
                there = next((month for month in range(at, place) if not plan.is_away(node, month)), place)
            parts[there] += part * count * (whole // worked)
    return _reduced(parts, months.whole * whole)
