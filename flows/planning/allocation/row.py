"""One node's amount over the months of its year, around the sums that parts of the year are to have."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from flows.planning.allocation.rounding import largest_remainder
from flows.planning.allocation.sums import MONTHS, Span, Sum, period_name

Row = tuple[list[int], list[float]]


def spread(season: Sequence[Fraction], sums: Mapping[Span, Sum], node: str, faults: list[str]) -> Row | None:
    """Spread a year by its season; the widest sum first, what is stated within it stays, the rest absorbs.

    Args:
        season: weight of each month; 0 where nothing can go.
        sums: the year's, and those of parts of it.
        node: for messages.
        faults: what cannot hold is noted here, with amounts as ``{units}``.

    Returns:
        Units of the twelve months and the exact amounts, or None with a fault noted.
    """
    amount, exact = [0] * MONTHS, [0.0] * MONTHS
    before = len(faults)
    year = (0, MONTHS - 1)
    parts = {span: one for span, one in sums.items() if span != year}
    _fill(year, sums[year], parts, season, node, faults, amount, exact)
    return None if len(faults) > before else (amount, exact)


def _fill(
    span: Span,
    whole: Sum,
    inner: dict[Span, Sum],
    season: Sequence[Fraction],
    node: str,
    faults: list[str],
    amount: list[int],
    exact: list[float],
) -> None:
    widest = {one: inner[one] for one in inner if not any(_within(one, other) for other in inner)}
    taken = {month for first, last in widest for month in range(first, last + 1)}
    free = [month for month in range(span[0], span[1] + 1) if month not in taken]
    left = whole.amount - sum(one.amount for one in widest.values())
    weights = [season[month] for month in free]
    cell = f"{node} {period_name(span)}"
    by = ", ".join(one.by for one in widest.values())
    if left < 0:
        faults.append(
            f"{cell}: expected parts of at most {{{whole.amount}}} ({whole.by}), found {{{whole.amount - left}}} "
            f"({by}); lower a part, or raise the whole"
        )
    elif left and not sum(weights):
        faults.append(
            f"{cell}: expected a month that is free and in which somebody counts to take {{{left}}} of "
            f"{{{whole.amount}}} ({whole.by}), found none" + (f" beside {by}" if by else "")
        )
    else:
        total = sum(weights, Fraction())
        for month, units, weight in zip(free, largest_remainder(left, weights), weights, strict=True):
            amount[month] = units
            exact[month] = float(left * weight / total) if total else 0.0
    for part, one in widest.items():
        if part[0] == part[1]:
            amount[part[0]], exact[part[0]] = one.amount, float(one.amount)
        else:
            within = {other: found for other, found in inner.items() if _within(other, part)}
            _fill(part, one, within, season, node, faults, amount, exact)


def _within(one: Span, other: Span) -> bool:
    return one != other and other[0] <= one[0] and one[1] <= other[1]
