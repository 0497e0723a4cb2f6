"""Three ways to a year's target, shown beside the chosen one: growth on last year, what people can do, the trend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations
from statistics import median

from flows.config.plan.model import Proposals


@dataclass(frozen=True)
class Proposed:
    """What each way comes to, in hundredths; a way that was not asked for, or has nothing to go by, is not there.

    Attributes:
        growth: on ``growth_from``.
        trend: at the planned year, of the line through ``trend_from``.
        capacity: of the people below the node.
        blend: the weighted mean of the ways, where the target asks for one and all of them are known.
        growth_from: what the growth is on: the result, and what it is of.
        trend_from: totals of past fiscal years.
        missing: ways that were asked for and are not known, and why.
    """

    growth: Fraction | None = None
    trend: Fraction | None = None
    capacity: Fraction | None = None
    blend: Fraction | None = None
    growth_from: tuple[int, str] | None = None
    trend_from: tuple[tuple[int, int], ...] = ()
    missing: Mapping[str, str] | None = None


def propose(
    asked: Proposals,
    fiscal_year: int,
    years: Sequence[tuple[int, int]],
    recent: int | None,
    capacity: Fraction | None,
) -> Proposed:
    """What the ways come to that are asked for.

    Growth is on the last fiscal year; while that one is not over, on the last twelve full months. The trend is the line
    of Theil and Sen (median of the slopes between any two years, through the median year), which one odd year does not
    turn; it is never below 0.

    Args:
        asked: which ways.
        fiscal_year: the planned one.
        years: full past fiscal years and their totals in hundredths.
        recent: total of the last twelve full months; None where fewer are known.
        capacity: what the people below the node come to in hundredths; None where the plan states no quota.
    """
    totals = dict(years)
    missing = {}
    growth_from = None
    if asked.growth is not None:
        if fiscal_year - 1 in totals:
            growth_from = totals[fiscal_year - 1], f"fiscal year {fiscal_year - 1}"
        elif recent is not None:
            growth_from = recent, f"the last 12 full months (fiscal year {fiscal_year - 1} is not known in full)"
        else:
            missing["growth"] = "no twelve full months of results"
    trend = None
    if asked.trend:
        trend = _line(years, fiscal_year)
        if trend is None:
            missing["trend"] = f"a line needs two full past fiscal years, found {len(years)}"
    if asked.capacity and capacity is None:
        missing["capacity"] = "the version states no quota_per_head of the metric under capacity"
    ways = {
        "growth": growth_from[0] * (1 + Fraction(asked.growth)) if growth_from and asked.growth is not None else None,
        "trend": trend,
        "capacity": capacity if asked.capacity else None,
    }
    weights = {way: Fraction(weight) for way, weight in asked.blend.items() if weight}
    known = {way: value for way, value in ways.items() if value is not None}
    blend = None
    if weights and weights.keys() <= known.keys():
        blend = sum((weight * known[way] for way, weight in weights.items()), Fraction()) / sum(weights.values())
    return Proposed(
        **ways, blend=blend, growth_from=growth_from, trend_from=tuple(years) if asked.trend else (), missing=missing
    )


def _line(years: Sequence[tuple[int, int]], at: int) -> Fraction | None:
    if len(years) < 2:
        return None
    slope = median(Fraction(after - before, later - earlier) for (earlier, before), (later, after) in _pairs(years))
    level = median(total - slope * year for year, total in years)
    return max(Fraction(0), level + slope * at)


def _pairs(years: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(combinations(sorted(years), 2))


def amount_of(hundredths: Fraction, places: int) -> Decimal:
    """Hundredths as an amount, to so many places."""
    exact = Decimal(hundredths.numerator) / Decimal(hundredths.denominator) / 100
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
