"""By what a month is split among the parts of a node: capacity, history, given weights, or equally."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import Protocol

import numpy as np

from flows.config.fiscal import FiscalCalendar, Period
from flows.config.plan.metrics import PlanMetric
from flows.config.plan.versions import PlanVersion
from flows.planning.allocation.history import History
from flows.planning.allocation.rounding import Ints
from flows.planning.allocation.statements import Faults
from flows.planning.allocation.tree import Tree

LOOKS_BACK = 12
"""Full months before a version takes effect, over which shares of history are measured."""


class Past(Protocol):
    """Where results and the fiscal calendar come from."""

    @property
    def history(self) -> History: ...  # noqa: D102
    @property
    def fiscal(self) -> FiscalCalendar: ...  # noqa: D102


def split_weights(
    version: PlanVersion,
    metric: PlanMetric,
    tree: Tree,
    capacity: Ints,
    past: Past,
    months: Sequence[Period],
    faults: Faults,
    notes: list[str],
) -> Ints:
    """Weights by node and month, of which siblings are in proportion.

    By whatever a version splits: who does not count in a month gets nothing in it.

    Args:
        version: as resolved.
        metric: what is split.
        tree: the organisation.
        capacity: capacity × potential by node and month, summed up.
        past: where history is read from.
        months: fiscal months of the year.
        faults: weights that leave a part out are noted here.
        notes: history that is not there is noted here.
    """
    if version.whole.split == "history":
        return _by_history(version, metric, tree, capacity, past, notes)
    if version.whole.split == "given":
        return _given(version, tree, capacity, faults)
    if version.whole.split == "equal":
        return (capacity > 0).astype(np.int64)
    return capacity


def _by_history(
    version: PlanVersion, metric: PlanMetric, tree: Tree, capacity: Ints, past: Past, notes: list[str]
) -> Ints:
    starts = months_before(version.effective_on, past.fiscal)
    parents = {key: tree.keys[tree.parent[place]] for key, place in tree.place.items() if place}
    results = past.history.by_node(metric.key, starts, parents)
    weight = np.array([max(0, int(results[key].sum())) if key in results else 0 for key in tree.keys], dtype=np.int64)
    found = np.where(capacity > 0, weight[:, None], 0)
    for place, children in enumerate(tree.children):
        if not len(children):
            continue
        # Where none of those who count in a month has a result behind them, capacity decides.
        empty = (found[children] == 0).all(axis=0) & (capacity[children] > 0).any(axis=0)
        if empty.any():
            found[np.ix_(children, np.flatnonzero(empty))] = capacity[np.ix_(children, np.flatnonzero(empty))]
            notes.append(
                f"{version.id}: {metric.key}: the parts of {tree.keys[place]} had no results in the {LOOKS_BACK} "
                f"months before {version.effective_on}; they are split by capacity"
            )
    return found


def months_before(day: date, fiscal: FiscalCalendar) -> list[date]:
    """First days of the twelve fiscal months before the one that begins on ``day``."""
    year = fiscal.year_of(day)
    starts = [month.start_on for one in (year - 1, year) for month in fiscal.periods(one, "month")]
    return [start for start in starts if start < day][-LOOKS_BACK:]


def _given(version: PlanVersion, tree: Tree, capacity: Ints, faults: Faults) -> Ints:
    given = {key: Fraction(weight) for key, weight in (version.whole.split_weights or {}).items()}
    scale = lcm(*(weight.denominator for weight in given.values())) if given else 1
    found = capacity.copy()
    for place, children in enumerate(tree.children):
        named = [int(child) for child in children if tree.keys[child] in given]
        if not named:
            continue
        missing = [tree.keys[child] for child in children if tree.keys[child] not in given]
        if missing:
            faults.add(
                "split_weights",
                f"expected a weight for every part of {tree.keys[place]}, found none for {', '.join(missing[:5])}; "
                "add them (0 where a part is to have nothing)",
            )
        for child in named:
            weight = int(given[tree.keys[child]] * scale)
            counts = capacity[child] > 0 if capacity[child].any() else np.ones(capacity.shape[1], dtype=bool)
            found[child] = np.where(counts, weight, 0)
    return found
