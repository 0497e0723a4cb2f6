"""The children of one node where some of them have sums to keep: the rest absorbs the difference, month by month."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flows.planning.allocation.rounding import Floats, Ints, RowSum, apportion, fit
from flows.planning.allocation.sums import MONTHS, SPANS, Span, Sum, period_name

ROUNDS = 40


@dataclass(frozen=True)
class Block:
    """A node and its children.

    Attributes:
        parent: key of the node.
        names: keys of the children.
        amounts: the node's months, in units.
        weights: of the children, by month.
        sums: what children have to sum to, by number of the child.
        rows: months by season, of children that state a target of their own; kept where the others can absorb the rest.
        needs: what children need at least so that what is stated below them can hold.
        start: first month that is decomposed.
    """

    parent: str
    names: tuple[str, ...]
    amounts: Ints
    weights: Ints
    sums: Mapping[int, dict[Span, Sum]]
    rows: Mapping[int, Ints]
    needs: Mapping[int, Mapping[Span, Sum]]
    start: int


def fill_block(block: Block, faults: list[str]) -> tuple[Ints, Floats] | None:
    """Months of the children, and the exact amounts before rounding; None with the reason noted in ``faults``.

    A child whose share would be less than what is stated below it needs, gets just that; the others absorb it.
    """
    kept = {number: dict(sums) for number, sums in block.sums.items()}
    needs = _needs(block)
    for _ in range(ROUNDS * max(1, len(block.names))):
        found = _filled(block, kept, faults)
        if found is None:
            return None
        short = [
            (number, span, least)
            for number, spans in needs.items()
            for span, least in spans.items()
            if found[0][number, span[0] : span[1] + 1].sum() < least.amount
        ]
        if not short:
            return found
        # The shortest periods first: what they need may already suffice for the longer ones.
        length = min(span[1] - span[0] for _, span, _ in short)
        for number, span, least in short:
            if span[1] - span[0] == length:
                kept[number][span] = least
    faults.append(f"{block.parent}: expected a way to hold all that is stated below it, found none; lower a part of it")
    return None


def _needs(block: Block) -> dict[int, dict[Span, Sum]]:
    return {
        number: {span: one for span, one in spans.items() if span not in block.sums[number] and span[1] >= block.start}
        for number, spans in block.needs.items()
    }


def _filled(block: Block, sums: Mapping[int, dict[Span, Sum]], faults: list[str]) -> tuple[Ints, Floats] | None:
    rows = _rows_that_fit(block, sums)
    fixed = {
        number: {month: sums[number][month, month].amount for month in range(MONTHS) if (month, month) in sums[number]}
        for number in sums
    }
    for number, row in rows.items():
        fixed[number] = {month: int(row[month]) for month in range(block.start, MONTHS)}
    long = [
        number
        for number, spans in sums.items()
        if number not in rows and any(first < last for first, last in spans) and len(fixed[number]) < MONTHS
    ]
    found = np.zeros((len(block.names), MONTHS), dtype=np.int64)
    is_fixed = np.zeros(found.shape, dtype=bool)
    for number, months in fixed.items():
        for month, amount in months.items():
            found[number, month], is_fixed[number, month] = amount, True
    if not _columns_hold(block, found, is_fixed, long, sums, faults):
        return None
    exact = found.astype(np.float64)
    open_weights = np.where(is_fixed, 0, block.weights)
    left = block.amounts - found.sum(axis=0)
    spanned = np.zeros(found.shape, dtype=bool)
    for number in long:
        for first, last in sums[number]:
            spanned[number, first : last + 1] |= first < last
    if long and not _fit_long(block, found, exact, open_weights, spanned, left, long, sums, fixed, faults):
        return None
    left = block.amounts - found.sum(axis=0)
    weights = np.where(spanned, 0, open_weights)
    total = weights.sum(axis=0)
    found += apportion(left[None, :], weights, np.zeros(len(weights), dtype=np.int64))
    exact += np.divide(left * weights, total, out=np.zeros(weights.shape), where=total > 0)
    return found, exact


def _rows_that_fit(block: Block, sums: Mapping[int, dict[Span, Sum]]) -> dict[int, Ints]:
    """Stated rows keep their own season where the others can take what is left of each month; else all are fitted."""
    if not block.rows:
        return {}
    taken = np.zeros(MONTHS, dtype=np.int64)
    can_absorb = np.zeros(MONTHS, dtype=bool)
    for number in range(len(block.names)):
        if number in block.rows:
            taken += block.rows[number]
            continue
        spans = sums.get(number, {})
        taken += np.array([spans[month, month].amount if (month, month) in spans else 0 for month in range(MONTHS)])
        can_absorb |= [block.weights[number, month] > 0 and (month, month) not in spans for month in range(MONTHS)]
    left = block.amounts - taken
    return dict(block.rows) if ((left == 0) | ((left > 0) & can_absorb))[block.start :].all() else {}


def _columns_hold(
    block: Block,
    found: Ints,
    is_fixed: np.ndarray,
    long: list[int],
    sums: Mapping[int, dict[Span, Sum]],
    faults: list[str],
) -> bool:
    """Each month: fixed cells within the node's amount, and somebody to take what they leave."""
    holds = True
    seeded = np.where(is_fixed, 0, block.weights) > 0
    for number in long:
        seeded[number] |= (~is_fixed[number]) & _season_row(block, number)
    for month in range(block.start, MONTHS):
        left = int(block.amounts[month] - found[:, month].sum())
        cell = f"{block.parent} {period_name((month, month))}"
        who = [
            f"{block.names[number]} {{{found[number, month]}}}" + (f" ({by.by})" if by else "")
            for number in np.flatnonzero(is_fixed[:, month])
            for by in [sums.get(int(number), {}).get((month, month))]
        ]
        stated = ", ".join(who[:4]) + (f" and {len(who) - 4} more" if len(who) > 4 else "")
        if left < 0:
            faults.append(
                f"{cell}: expected its parts to sum to {{{block.amounts[month]}}}, found "
                f"{{{block.amounts[month] - left}}} stated: {stated}; lower one, or state more for {block.parent}"
            )
        elif left > 0 and not seeded[:, month].any():
            beside = f" beside {stated}; change one of them, or let somebody count in the month" if stated else ""
            faults.append(
                f"{cell}: expected somebody below who counts in the month to take {{{left}}} of "
                f"{{{block.amounts[month]}}}, found nobody{beside}"
            )
        else:
            continue
        holds = False
    return holds


def _season_row(block: Block, number: int) -> np.ndarray:
    return block.rows[number] > 0 if number in block.rows else np.zeros(MONTHS, dtype=bool)


def _fit_long(
    block: Block,
    found: Ints,
    exact: Floats,
    open_weights: Ints,
    spanned: np.ndarray,
    left: Ints,
    long: list[int],
    sums: Mapping[int, dict[Span, Sum]],
    fixed: Mapping[int, Mapping[int, int]],
    faults: list[str],
) -> bool:
    """Rows with sums over several months, fitted between each other and the rest as one row."""
    total = np.maximum(open_weights.sum(axis=0), 1)
    proportional = left * (open_weights / total)
    seed = np.zeros((len(long) + 1, MONTHS))
    row_sums = []
    for row, number in enumerate(long):
        seed[row] = np.where(_season_row(block, number), block.rows.get(number, 0), proportional[number])
        seed[row, ~spanned[number]] = 0
        for month in fixed[number]:
            seed[row, month] = 0
        for (first, last), one in sorted(sums[number].items(), key=lambda item: (item[0][0] - item[0][1], item[0])):
            if first == last or last < block.start:
                continue
            rest = one.amount - sum(amount for month, amount in fixed[number].items() if first <= month <= last)
            cell = f"{block.names[number]} {period_name((first, last))}"
            if rest < 0:
                faults.append(
                    f"{cell}: expected parts of at most {{{one.amount}}} ({one.by}), found {{{one.amount - rest}}}; "
                    "lower a part, or raise the whole"
                )
                return False
            if rest and not seed[row, first : last + 1].any():
                _seed_empty(block, seed, row, number, (first, last), fixed)
            if rest and not seed[row, first : last + 1].any():
                faults.append(
                    f"{cell}: expected a month in which {block.names[number]} counts and {block.parent} has an amount, "
                    f"to take {{{rest}}} ({one.by}), found none"
                )
                return False
            row_sums.append(RowSum(row, first, last, rest))
    seed[-1] = np.where(spanned, 0, proportional).sum(axis=0)
    seed[:, : block.start] = 0
    fitted = fit(left, seed, row_sums)
    if fitted is None:
        named = ", ".join(f"{block.names[number]} ({_by(sums[number])})" for number in long[:4])
        more = f" and {len(long) - 4} more" if len(long) > 4 else ""
        faults.append(
            f"{block.parent}: expected amounts for its parts that hold what is stated of {named}{more} and sum to its "
            f"months, found none; lower one of them, or state more for {block.parent}"
        )
        return False
    whole, fractions = fitted
    for row, number in enumerate(long):
        found[number] += whole[row]
        exact[number] += fractions[row]
    return True


def _seed_empty(
    block: Block, seed: Floats, row: int, number: int, span: Span, fixed: Mapping[int, Mapping[int, int]]
) -> None:
    """A part that nobody counts for, but that is stated: it takes the season of the node above it."""
    if block.weights[number].any():
        return
    for month in range(max(span[0], block.start), span[1] + 1):
        if month not in fixed[number]:
            seed[row, month] = float(block.amounts[month])


def _by(sums: Mapping[Span, Sum]) -> str:
    return ", ".join(dict.fromkeys(sums[span].by for span in SPANS if span in sums and span[0] < span[1]))
