"""Whole units that add up: the largest remainder, and rounding that keeps the sums of rows and of columns.

Everything here is exact: weights are whole numbers (of any scale), so that two equal shares are equal and a hundredth
never goes to the wrong one because of a binary fraction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_FITS = 2**62
ITERATIONS = 2_000
CLOSE = 1e-13


def largest_remainder(amount: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Split a whole amount in proportion to weights.

    What rounding down leaves over goes to the largest remainders, one unit each; of equal ones to the earlier.

    Args:
        amount: whole units.
        weights: not negative, not all 0 unless the amount is.

    Returns:
        Whole units that sum to ``amount``.
    """
    total = sum(weights)
    if not total:
        if amount:
            raise ValueError(f"expected a weight above 0 to give {amount} to, found none")
        return [0] * len(weights)
    exact = [amount * Fraction(weight) / total for weight in weights]
    found = [int(one // 1) for one in exact]
    order = sorted(range(len(exact)), key=lambda place: (found[place] - exact[place], place))
    for place in order[: amount - sum(found)]:
        found[place] += 1
    return found


def apportion(amounts: Ints, weights: Ints, segment: Ints) -> Ints:
    """Split each amount among the rows of its segment: largest remainder of many splits at once, column by column.

    Args:
        amounts: one row a segment, one column a month.
        weights: whole numbers, one row a part; rows of a segment stand together, in the order in which ties go.
        segment: the segment of each row, ascending.

    Returns:
        Same shape as ``weights``. Columns sum to the amounts wherever a segment has a weight; otherwise they are 0.
    """
    if not len(weights):
        return np.zeros_like(weights)
    starts = np.flatnonzero(np.diff(segment, prepend=-1))
    totals = np.zeros_like(amounts)
    totals[segment[starts]] = np.add.reduceat(weights, starts, axis=0)
    divisor = np.maximum(totals, 1)[segment]
    if float(amounts.max(initial=0)) * float(weights.max(initial=0)) < _FITS:
        product = amounts[segment] * weights
        parts, remainder = np.divmod(product, divisor)
    else:
        wide = amounts[segment].astype(object) * weights.astype(object)
        whole = divisor.astype(object)
        parts, remainder = (wide // whole).astype(np.int64), (wide % whole).astype(np.int64)
    given = np.zeros_like(amounts)
    given[segment[starts]] = np.add.reduceat(parts, starts, axis=0)
    left = np.where(totals > 0, amounts - given, 0)[segment]
    return parts + (_rank(remainder, segment, starts) < left)


def apportion_in_turn(amounts: Ints, weights: Ints, segment: Ints) -> Ints:
    """Split as :func:`apportion` does, but carry what rounding kept from a row to its next column.

    For amounts of a few units: who has two fifths of one unit in each of twelve columns has five in the end, not none.
    """
    if not len(weights):
        return np.zeros_like(weights)
    starts = np.flatnonzero(np.diff(segment, prepend=-1))
    owed: Floats = np.zeros(len(weights))
    found = np.zeros_like(weights)
    for column in range(weights.shape[1]):
        weight = weights[:, column].astype(np.float64)
        total = np.add.reduceat(weight, starts)
        share = np.divide(weight, np.repeat(total, np.diff(starts, append=len(weights))), where=weight > 0, out=weight)
        exact = amounts[segment, column] * share
        # Only who has a weight takes part; equal claims are equal however they were summed.
        wanted = np.where(share > 0, np.round(np.maximum(exact + owed, 0), 9), 0)
        parts = np.floor(wanted).astype(np.int64)
        fraction = np.round((wanted - parts) * 1e9).astype(np.int64)
        left = np.where(total > 0, amounts[segment[starts], column] - np.add.reduceat(parts, starts), 0)
        more = np.maximum(left, 0)[np.searchsorted(starts, np.arange(len(weights)), side="right") - 1]
        first = np.where(share > 0, fraction, -1)[:, None]
        parts += _rank(first, segment, starts)[:, 0] < more
        for number in np.flatnonzero(left < 0):
            # Nobody gives back what came before: the claims of the others are cut, the smallest fraction first.
            rows = slice(starts[number], starts[number + 1] if number + 1 < len(starts) else None)
            parts[rows] = _cut(parts[rows], fraction[rows], -int(left[number]))
        owed += exact - parts
        found[:, column] = parts
    return found


def _cut(parts: Ints, fraction: Ints, units: int) -> Ints:
    found = parts.copy()
    for place in np.lexsort((-np.arange(len(parts)), fraction))[: len(parts)].tolist() * (units + 1):
        if not units:
            break
        if found[place]:
            found[place] -= 1
            units -= 1
    return found


def _rank(remainder: Ints, segment: Ints, starts: Ints) -> Ints:
    """Place of each remainder among those of its segment and column: the largest first, ties in order."""
    rows, columns = remainder.shape
    order = np.lexsort(
        (
            np.repeat(np.arange(rows), columns),
            -remainder.ravel(),
            np.repeat(segment, columns),
            np.tile(np.arange(columns), rows),
        )
    )
    # Sorted by column, then segment: the place within a segment is the place in all less that of its first row.
    place = np.empty(rows * columns, dtype=np.int64)
    place[order] = np.arange(rows * columns)
    first = starts[np.searchsorted(starts, np.arange(rows), side="right") - 1]
    return place.reshape(rows, columns) - (np.arange(columns) * rows)[None, :] - first[:, None]


@dataclass(frozen=True)
class RowSum:
    """The sum of a row over the columns ``first`` to ``last``, both included."""

    row: int
    first: int
    last: int
    amount: int


def fit(columns: Ints, seed: Floats, sums: Sequence[RowSum]) -> tuple[Ints, Floats] | None:
    """The whole numbers closest in proportion to ``seed`` that hold the columns' sums and those of parts of rows.

    Proportional fitting (Deming and Stephan) finds the exact amounts; each is then rounded up or down so that every sum
    holds. Sums of columns and of nested spans of rows are a network, so that the linear program over the choices has
    whole solutions.

    Args:
        columns: sum of each column, in whole units.
        seed: proportions; what is 0 stays 0.
        sums: spans of a row, nested or apart.

    Returns:
        Whole amounts and the exact ones, or None where nothing can hold all sums.
    """
    exact = _proportional(columns.astype(np.float64), seed, sums)
    down = np.floor(exact + 1e-6 * (exact > 0)).astype(np.int64)
    whole = _rounded(columns, exact, down, sums)
    return None if whole is None else (whole, exact)


def _proportional(columns: Floats, seed: Floats, sums: Sequence[RowSum]) -> Floats:
    found = seed.copy()
    # The widest span first: the narrower ones within it have the last word, the columns the very last.
    ordered = sorted(sums, key=lambda one: one.first - one.last)
    for _ in range(ITERATIONS):
        before = found.copy()
        for one in ordered:
            span = found[one.row, one.first : one.last + 1]
            total = span.sum()
            if total > 0:
                span *= one.amount / total
        total = found.sum(axis=0)
        found *= np.divide(columns, total, out=np.zeros_like(columns), where=total > 0)[None, :]
        if np.abs(found - before).max(initial=0) <= CLOSE * max(1.0, columns.max(initial=0)):
            break
    return found


def _rounded(columns: Ints, exact: Floats, down: Ints, sums: Sequence[RowSum]) -> Ints | None:
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    rows, cells = np.nonzero(exact > 0)
    count = len(rows)
    number = np.full(exact.shape, -1)
    number[rows, cells] = np.arange(count)
    places: list[tuple[int, int]] = []
    wanted: list[int] = []
    for column in range(len(columns)):
        used = number[:, column][number[:, column] >= 0]
        places += [(len(wanted), int(one)) for one in used]
        wanted.append(int(columns[column] - down[:, column].sum()))
    for one in sums:
        span = number[one.row, one.first : one.last + 1]
        places += [(len(wanted), int(place)) for place in span[span >= 0]]
        wanted.append(int(one.amount - down[one.row, one.first : one.last + 1].sum()))
    if not count:
        return down if not any(wanted) else None
    at, of = zip(*places, strict=True) if places else ((), ())
    matrix = coo_array((np.ones(len(at)), (at, of)), shape=(len(wanted), count)).tocsr()
    fraction = (exact - down)[rows, cells]
    # Ties go to the earlier cell: a preference far below any difference of fractions that matters.
    preference = 1 - 2 * fraction.round(4) + 1e-5 * np.arange(count) / count
    first = linprog(preference, A_eq=matrix, b_eq=wanted, bounds=(0, 1), method="highs-ds")
    steps = first.x if first.status == 0 else _nearest(matrix, wanted, down[rows, cells])
    if steps is None:
        return None
    found = down.copy()
    found[rows, cells] += np.rint(steps).astype(np.int64)
    holds = (found.sum(axis=0) == columns).all() and (found >= 0).all()
    holds &= all(found[one.row, one.first : one.last + 1].sum() == one.amount for one in sums)
    return found if holds else None


def _nearest(matrix: object, wanted: list[int], down: Ints) -> Floats | None:
    """Where the exact amounts are not reached (a sum forces a cell towards 0): the least change that holds all sums."""
    from scipy.optimize import linprog
    from scipy.sparse import hstack

    more_and_less = hstack([matrix, -1 * matrix])  # type: ignore[operator]
    bounds = [(0, None)] * len(down) + [(0, int(one)) for one in down]
    found = linprog(np.ones(2 * len(down)), A_eq=more_and_less, b_eq=wanted, bounds=bounds, method="highs-ds")
    return found.x[: len(down)] - found.x[len(down) :] if found.status == 0 else None
