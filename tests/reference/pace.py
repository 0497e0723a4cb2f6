"""The pace of a plan, slowly: from METRICS alone, one result and one day at a time, in exact fractions.

It reads plain Python rows and knows nothing of the marts' SQL: no points, no weights, no cumulated steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

Calendar = Mapping[date, bool]
"""Whether each day is worked."""


@dataclass(frozen=True)
class Span:
    """A period by its first and last day."""

    start: date
    end: date


@dataclass(frozen=True)
class Result:
    """Something that came in, at a rep."""

    rep: str
    day: date
    hundredths: int


@dataclass(frozen=True)
class Company:
    """All that a pace follows from.

    Attributes:
        periods: whole periods of one kind, in order.
        calendars: days worked, by name.
        calendar_of: name of the calendar by node.
        above: the nodes that a node counts towards, itself first, the company last.
        results: of one metric.
        known_from: first day of the month in which the metric was first recorded; what began before is not whole.
        min_periods: so many periods before must have had results.
        min_results: so many results must they have had.
    """

    periods: Sequence[Span]
    calendars: Mapping[str, Calendar]
    calendar_of: Mapping[str, str]
    above: Mapping[str, Sequence[str]]
    results: Sequence[Result]
    known_from: date
    min_periods: int
    min_results: int


@dataclass(frozen=True)
class Pace:
    """The pace of a node at the end of a day; ``index`` and ``by_calendar`` None where nothing was to be expected."""

    curve_of: str | None
    share: Fraction
    actual: int
    index: Fraction | None
    by_calendar: Fraction


def pace(company: Company, node: str, target: int, day: date) -> Pace:
    """Pace index of ``node`` at the end of ``day``, in the period that the day lies in."""
    period = next(span for span in company.periods if span.start <= day <= span.end)
    calendar = company.calendars[company.calendar_of[node]]
    elapsed = Fraction(_worked(calendar, period.start, day), _worked(calendar, period.start, period.end))
    curve_of, share = None, elapsed
    for candidate in company.above[node]:
        known = _curve(company, candidate, period, elapsed)
        if known is not None:
            curve_of, share = candidate, known
            break
    mine = [one for one in company.results if node in company.above[one.rep] and period.start <= one.day <= day]
    actual = sum(one.hundredths for one in mine)
    passed = Fraction((day - period.start).days + 1, (period.end - period.start).days + 1)
    index = Fraction(actual) / (target * share) if share else None
    return Pace(curve_of, share, actual, index, Fraction(actual) / (target * passed))


def _curve(company: Company, node: str, period: Span, elapsed: Fraction) -> Fraction | None:
    """What the periods before had at the same share of their working days; None where they say too little."""
    theirs = [one for one in company.results if node in company.above[one.rep]]
    before = [span for span in company.periods if span.end < period.start and span.start >= company.known_from]
    inside = [[one for one in theirs if span.start <= one.day <= span.end] for span in before]
    total = sum(one.hundredths for results in inside for one in results)
    if sum(1 for results in inside if results) < company.min_periods or total <= 0:
        return None
    if sum(len(results) for results in inside) < company.min_results:
        return None
    reached = Fraction(0)
    for span, results in zip(before, inside, strict=True):
        for one in results:
            calendar = company.calendars[company.calendar_of[one.rep]]
            # The working day to which the result belongs, from 1; 0 before the first.
            number = _worked(calendar, span.start, one.day)
            into = elapsed * _worked(calendar, span.start, span.end) - (number - 1)
            reached += one.hundredths * min(max(into, Fraction(0)), Fraction(1))
    share = reached / total
    return share if 0 <= share <= 1 else None


def _worked(calendar: Calendar, first: date, last: date) -> int:
    return sum(calendar[first + timedelta(days=number)] for number in range((last - first).days + 1))
