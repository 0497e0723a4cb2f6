"""One amount a year, spread over months and then down the organisation, so that every level sums exactly.

Time first, at the nodes that state an amount of their own; then month by month down the tree in proportion to weights.
Cells that are set by hand stay, and the rest absorbs the difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

import numpy as np

from flows.planning.allocation.block import Block, fill_block
from flows.planning.allocation.rounding import Floats, Ints, apportion, apportion_in_turn
from flows.planning.allocation.row import spread
from flows.planning.allocation.seasonality import Weights
from flows.planning.allocation.sums import MONTHS, Span, Sum, Sums, exact_sums, floors, period_name
from flows.planning.allocation.tree import Tree


class How(IntEnum):
    """How a month's cell came about."""

    NONE = 0
    SEASON = 1
    SPLIT = 2
    PINNED = 3
    SUM_OF_NODES = 4


@dataclass(frozen=True)
class Question:
    """What is to be decomposed, in whole units.

    Attributes:
        tree: the organisation.
        weights: by node and month, of what is below it; whole numbers of one scale a month.
        has_people: nodes with people below them or in them.
        has_heads: those of them with somebody who counts in some month of the year; others have no rows.
        stated: sums that nodes are to have; targets and cells set by hand.
        seasons: weights of the twelve months, of the nodes that state a target.
        start: the first month that is decomposed; those before are carried.
        carried: units of the months before ``start``, by node.
        in_turn: whether what rounding keeps from somebody in a month comes to them in the next: units that count.
    """

    tree: Tree
    weights: Ints
    has_people: np.ndarray
    has_heads: np.ndarray
    stated: Mapping[int, Mapping[Span, Sum]]
    seasons: Mapping[int, Weights]
    start: int
    carried: Ints
    in_turn: bool = False


@dataclass(frozen=True)
class Answer:
    """Months of all nodes; carried ones are 0 here.

    Attributes:
        amount: units.
        how: :class:`How` of each cell.
        share: of the cell above (or of the year, where a season spread it).
        exact: the proportional amount before it was rounded.
    """

    amount: Ints
    how: Ints
    share: Floats
    exact: Floats


def decompose(question: Question, faults: list[str]) -> Answer:
    """Decompose; what cannot hold is noted in ``faults``, amounts as ``{units}``, and the answer is then of no use."""
    return _Decomposition(question, faults).run()


class _Decomposition:
    def __init__(self, question: Question, faults: list[str]) -> None:
        self.q = question
        self.tree = question.tree
        self.faults = faults
        shape = (len(self.tree.keys), MONTHS)
        self.weights = question.weights.copy()
        self.weights[:, : question.start] = 0
        self.amount = np.zeros(shape, dtype=np.int64)
        self.how = np.zeros(shape, dtype=np.int64)
        self.share = np.full(shape, np.nan)
        self.exact = np.zeros(shape)
        self.covered = np.zeros(shape[0], dtype=bool)

    def run(self) -> Answer:
        own = self._remaining()
        tops = self._tops(own)
        exact, contradictions = exact_sums(self.tree, own, self._can_take(own))
        self.faults += contradictions
        if not self.faults:
            self.needs = floors(self.tree, exact)
            for top in tops:
                self._spread_top(top, exact[top])
            for depth in range(int(self.tree.depth.max()) + 1):
                self._down(depth, exact)
            self._sum_up(tops)
        return Answer(self.amount, self.how, self.share, self.exact)

    def _remaining(self) -> Sums:
        """What the months from ``start`` on still have to bring."""
        found: Sums = {}
        for place, sums in self.q.stated.items():
            for (first, last), one in sums.items():
                done = int(self.q.carried[place, first : min(last + 1, self.q.start)].sum())
                left = one.amount - done
                cell = f"{self.tree.keys[place]} {period_name((first, last))}"
                if last < self.q.start:
                    if left:
                        self.faults.append(
                            f"{cell}: expected {{{done}}}, as the version before has it for months that are past when "
                            f"this one takes effect, found {{{one.amount}}}; a version changes only what is to come"
                        )
                elif left < 0:
                    self.faults.append(
                        f"{cell}: expected at least the {{{done}}} of the months that are carried from the version "
                        f"before, found {{{one.amount}}}; state more, or let the version take effect earlier"
                    )
                else:
                    # Months before ``start`` have no weight: all of it goes to those that are left of the period.
                    found.setdefault(place, {})[first, last] = Sum(left, one.by, one.is_target)
        return found

    def _can_take(self, own: Sums) -> Ints:
        """By node and month, above 0 where an amount can go."""
        found = self.weights.copy()
        for place, sums in own.items():
            if not self.q.has_people[place] and any(one.is_target for one in sums.values()):
                found[place, self.q.start :] = 1
        return found

    def _tops(self, own: Sums) -> list[int]:
        """Nodes that state a year's target, with nobody above them who does."""
        targets = {place for place, sums in own.items() if any(one.is_target for one in sums.values())}
        tops = [place for place in sorted(targets) if not targets.intersection(self.tree.above(place))]
        covered = set(tops)
        for place in range(len(self.tree.keys)):
            if int(self.tree.parent[place]) in covered:
                covered.add(place)
        self.covered[sorted(covered)] = True
        for place in sorted(set(own) - covered):
            for span in own[place]:
                self.faults.append(
                    f"{self.tree.keys[place]} {period_name(span)}: expected a year's target of the metric at this node "
                    "or above it, of which the cell is a part, found none; state one"
                )
        return tops

    def _spread_top(self, place: int, sums: Mapping[Span, Sum]) -> None:
        row = self._row_of(place, sums)
        if row is not None:
            self.amount[place], self.exact[place], self.share[place], self.how[place] = row

    def _row_of(self, place: int, sums: Mapping[Span, Sum]) -> tuple[Ints, Floats, Floats, Ints] | None:
        """The months of a node that states a target: its season, where somebody counts, around what is set by hand."""
        season = list(self.q.seasons[place])
        for month in range(MONTHS):
            nobody = self.q.has_people[place] and not self.weights[place, month]
            if month < self.q.start or nobody:
                season[month] = Fraction(0)
        found = spread(season, sums, self.tree.keys[place], self.faults)
        if found is None:
            return None
        amount, exact = found
        total = sum(season, Fraction())
        share = [float(weight / total) if total else np.nan for weight in season]
        pinned = [(month, month) in sums for month in range(MONTHS)]
        how = np.where(pinned, How.PINNED, How.SEASON)
        return np.array(amount), np.array(exact), np.where(pinned, np.nan, share), how

    def _down(self, depth: int, exact: Sums) -> None:
        """From the nodes of one level to their children."""
        parents = [int(place) for place in self.tree.level(depth) if self.covered[place]]
        parents = [place for place in parents if len(self.tree.children[place])]
        special = {place for place in parents if any(int(child) in self.needs for child in self.tree.children[place])}
        plain = [place for place in parents if place not in special]
        if plain:
            self._split(plain)
        for place in sorted(special):
            self._fill(place, exact)

    def _split(self, parents: list[int]) -> None:
        children = np.concatenate([self.tree.children[place] for place in parents])
        segment = np.repeat(np.arange(len(parents)), [len(self.tree.children[place]) for place in parents])
        weights, amounts = self.weights[children], self.amount[parents]
        totals = np.zeros(amounts.shape, dtype=np.int64)
        np.add.at(totals, segment, weights)
        for number, month in zip(*np.nonzero((amounts > 0) & (totals == 0)), strict=True):
            self._nobody(parents[number], int(month), int(amounts[number, month]))
        split = apportion_in_turn if self.q.in_turn else apportion
        self.amount[children] = split(amounts, weights, segment)
        above = totals[segment]
        share = np.divide(weights, above, out=np.zeros(weights.shape), where=above > 0)
        self.share[children] = share
        self.exact[children] = amounts[segment] * share
        self.how[children] = How.SPLIT

    def _fill(self, parent: int, exact: Sums) -> None:
        """Children of which some have sums of their own."""
        children = [int(child) for child in self.tree.children[parent]]
        stated, rows = {}, {}
        for number, child in enumerate(children):
            sums = exact.get(child, {})
            stated[number] = dict(sums)
            if any(one.is_target for one in sums.values()):
                row = self._row_of(child, sums)
                if row is None:
                    return
                rows[number] = row
        block = Block(
            parent=self.tree.keys[parent],
            names=tuple(self.tree.keys[child] for child in children),
            amounts=self.amount[parent],
            weights=self.weights[children],
            sums=stated,
            rows={number: row[0] for number, row in rows.items()},
            needs={number: self.needs.get(child, {}) for number, child in enumerate(children)},
            start=self.q.start,
        )
        found = fill_block(block, self.faults)
        if found is None:
            return
        self.amount[children], self.exact[children] = found
        above = self.amount[parent].astype(np.float64)
        share = np.divide(self.exact[children], above, out=np.zeros((len(children), MONTHS)), where=above > 0)
        self.share[children] = share
        self.how[children] = How.SPLIT
        for number, child in enumerate(children):
            if number in rows and (rows[number][0] == self.amount[child]).all():
                _, self.exact[child], self.share[child], self.how[child] = rows[number]
            for month in range(MONTHS):
                if (month, month) in stated[number]:
                    self.how[child, month] = How.PINNED

    def _sum_up(self, tops: list[int]) -> None:
        """Nodes above those that state a target have what their parts have."""
        above = sorted({place for top in tops for place in self.tree.above(top)}, reverse=True)
        for place in above:
            self.covered[place] = True
            self.amount[place] = self.amount[self.tree.children[place]].sum(axis=0)
            self.exact[place] = self.amount[place]
            self.how[place] = How.SUM_OF_NODES
        # Who counts in no month, and a node without people that states nothing of this metric, are there for the sake
        # of another year or metric.
        named = self.q.has_heads.copy()
        for place in self.q.stated:
            named[[place, *self.tree.above(place)]] = True
        self.how[~(self.covered & named)] = How.NONE

    def _nobody(self, parent: int, month: int, amount: int) -> None:
        self.faults.append(
            f"{self.tree.keys[parent]} {period_name((month, month))}: expected somebody below who counts in the month "
            f"to take {{{amount}}}, found nobody; set the cell to 0, or let somebody count earlier"
        )
