"""How a year's target is spread over its fiscal months: by past years, by given weights, by both, by working days."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flows.config.plan.model import Seasonality

MONTHS = 12
Weights = tuple[Fraction, ...]


@dataclass(frozen=True)
class PastYear:
    """Results of one metric at one node in the months of a past fiscal year, in hundredths."""

    fiscal_year: int
    months: tuple[int, ...]


@dataclass(frozen=True)
class Season:
    """Weights of the twelve fiscal months, which sum to 1.

    Attributes:
        weights: exact.
        by: what they come from: history, given, blend, working_days, flat.
        years: fiscal years that history was read from.
        fell_back: history was asked for, and there was no full year of it.
    """

    weights: Weights
    by: str
    years: tuple[int, ...] = ()
    fell_back: bool = False


def season(asked: Seasonality, past: Sequence[PastYear], working_days: Sequence[int]) -> Season:
    """The weights of a fiscal year's months.

    Of several past years each counts the same: the weight of a month is the mean of its shares, so that one large year
    does not set the season of all. Without a full past year, months count by their working days; the season says so.

    Args:
        asked: what the plan says.
        past: full past fiscal years of the metric at the node, in any order; years without a result are no history.
        working_days: of the months of the planned year.
    """
    years = sorted((year for year in past if sum(year.months) > 0), key=lambda year: -year.fiscal_year)[: asked.years]
    days = _shares([Fraction(one) for one in working_days])
    named = tuple(sorted(year.fiscal_year for year in years))
    if asked.by == "flat":
        return Season((Fraction(1, MONTHS),) * MONTHS, "flat")
    if asked.by == "working_days":
        return Season(days, "working_days")
    if asked.by == "given":
        return Season(_given(asked, working_days), "given")
    if asked.by == "blend":
        given = _given(asked, working_days)
        if not years:
            return Season(given, "given", fell_back=True)
        share, seen = Fraction(asked.history_share), _mean_shares(years)
        mixed = tuple(share * past + (1 - share) * own for past, own in zip(seen, given, strict=True))
        return Season(mixed, "blend", named)
    if not years:
        return Season(days, "working_days", fell_back=True)
    return Season(_mean_shares(years), "history", named)


def _mean_shares(years: Sequence[PastYear]) -> Weights:
    # A month in which more was cancelled than sold is no reason to plan for less than nothing.
    shares = [_shares([Fraction(max(0, amount)) for amount in year.months]) for year in years]
    return tuple(sum(column, Fraction()) / len(years) for column in zip(*shares, strict=True))


def _given(asked: Seasonality, working_days: Sequence[int]) -> Weights:
    weights = [Fraction(weight) for weight in asked.weights or ()]
    if len(weights) == MONTHS:
        return _shares(weights)
    quarters = _shares(weights)
    within = [_shares([Fraction(one) for one in working_days[start : start + 3]]) for start in range(0, MONTHS, 3)]
    return tuple(quarters[number] * share for number, months in enumerate(within) for share in months)


def _shares(amounts: Sequence[Fraction]) -> Weights:
    total = sum(amounts, Fraction())
    return tuple(amount / total if total else Fraction(1, len(amounts)) for amount in amounts)
