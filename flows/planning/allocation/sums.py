"""What the cells of a node have to sum to: amounts stated, what follows from them above and across, what is carried.

Months, quarters, halves and the year are nested, so the sums of a node never cross one another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.planning.allocation.rounding import Ints
from flows.planning.allocation.tree import Tree

MONTHS = 12
Span = tuple[int, int]
"""First and last month of a period, from 0, both included."""
SPANS: tuple[Span, ...] = tuple(
    (first, first + length - 1) for length in (1, 3, 6, 12) for first in range(0, MONTHS, length)
)
"""All periods of a year, the short ones first."""
PARTS: dict[Span, tuple[Span, ...]] = {
    (first, last): tuple((start, start + step - 1) for start in range(first, last + 1, step))
    for first, last in SPANS
    if first < last
    for step in ({2: 1, 5: 3, 11: 6}[last - first],)
}
"""The periods that a longer one is made of, one step down."""


@dataclass(frozen=True)
class Sum:
    """An amount, in units, that the months of a span are to have; ``by``: what it comes from, for messages."""

    amount: int
    by: str
    is_target: bool = False


Sums = dict[int, dict[Span, Sum]]
"""By place of the node in the tree."""


def period_name(span: Span) -> str:
    """As plans write it."""
    first, last = span
    return {
        1: f"M{first + 1:02}", 3: f"Q{first // 3 + 1}", 6: f"H{first // 6 + 1}", 12: "year"
    }[last - first + 1]  # fmt: skip


def exact_sums(tree: Tree, own: Sums, can_take: Ints) -> tuple[Sums, list[str]]:
    """Stated sums, and those that follow: where all parts of a cell are stated, so is the cell.

    Args:
        tree: the organisation.
        own: stated sums.
        can_take: by node and month, above 0 where a share of the amount above can go.

    Returns:
        All sums, and what contradicts itself, in words.
    """
    found: Sums = {place: dict(sums) for place, sums in own.items()}
    faults: list[str] = []
    touched = sorted({*own, *(above for place in own for above in tree.above(place))}, reverse=True)
    for place in touched:  # children come after their parents in a tree's order
        sums = found.setdefault(place, {})
        for span in SPANS:
            implied = [_of_parts(sums, span, can_take[place]), _of_children(tree, found, place, span, can_take)]
            for one in implied:
                stated = sums.get(span)
                if one is None:
                    continue
                if stated is None:
                    sums[span] = one
                elif stated.amount != one.amount:
                    faults.append(
                        f"{tree.keys[place]} {period_name(span)}: expected its parts to sum to {{{stated.amount}}} "
                        f"({stated.by}), found {{{one.amount}}} ({one.by}) and nothing left to absorb the difference"
                    )
    return {place: sums for place, sums in found.items() if sums}, faults


def _of_parts(sums: Mapping[Span, Sum], span: Span, can_take: Ints) -> Sum | None:
    known = []
    for part in PARTS.get(span, ()):
        one = sums.get(part)
        if one is not None:
            known.append(one)
        elif can_take[part[0] : part[1] + 1].any() or any(_overlap(part, other) for other in sums):
            return None
    return Sum(sum(part.amount for part in known), _named(known)) if known else None


def _of_children(tree: Tree, found: Sums, place: int, span: Span, can_take: Ints) -> Sum | None:
    children = tree.children[place]
    if not len(children):
        return None
    known = []
    for child in children:
        one = found.get(int(child), {}).get(span)
        if one is not None:
            known.append(one)
        elif can_take[child, span[0] : span[1] + 1].any() or any(
            _overlap(span, other) for other in found.get(int(child), {})
        ):
            return None
    return Sum(sum(one.amount for one in known), _named(known)) if known else None


def _overlap(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _named(parts: Iterable[Sum]) -> str:
    names = list(dict.fromkeys(part.by for part in parts))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def floors(tree: Tree, exact: Sums) -> dict[int, dict[Span, Sum]]:
    """What a node needs at least so that what is stated below it can hold; of nodes that state nothing themselves."""
    found: dict[int, dict[Span, Sum]] = {}
    touched = sorted({*exact, *(above for place in exact for above in tree.above(place))}, reverse=True)
    for place in touched:
        sums = exact.get(place, {})
        needs: dict[Span, Sum] = {}
        for span in SPANS:
            below = [one for child in tree.children[place] if (one := found.get(int(child), {}).get(span))]
            within = [one for part in PARTS.get(span, ()) if (one := needs.get(part))]
            options = [Sum(sum(one.amount for one in parts), _named(parts)) for parts in (below, within) if parts]
            if span in sums:
                needs[span] = sums[span]
            elif options:
                needs[span] = max(options, key=lambda one: one.amount)
        found[place] = needs
    return found
