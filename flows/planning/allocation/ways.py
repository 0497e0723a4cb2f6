"""The ways to the targets of one version: what growth, trend and capacity come to at each node that asks for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.metrics import PlanMetric
from flows.config.plan.versions import PlanVersion
from flows.planning.allocation.history import History
from flows.planning.allocation.proposals import Proposed, amount_of, propose
from flows.planning.allocation.rounding import Floats
from flows.planning.allocation.seasonality import Season
from flows.planning.allocation.statements import HUNDRED, Faults
from flows.planning.allocation.tree import Tree

Cell = tuple[str, str]
"""Metric and node."""


@dataclass
class Ways:
    """Ways to the targets of a version.

    Attributes:
        version: as resolved.
        tree: its organisation.
        heads: full heads by node and month: quota × ramp × active share × days that the plan counts on.
        quotas_held: what is asked of them, by node and month: quota × days that the plan counts on, in full quotas.
        history: results up to the night.
        fiscal: how the company counts its year.
        season: of a metric at a node.
        proposed: what was found, of each metric and node that asks for it.
        capacity: what the people below a node are expected to bring, in hundredths, of each metric and node with a
            target, where the version states what a full head carries.
        quotas: what is asked of the same people.
    """

    version: PlanVersion
    tree: Tree
    heads: Floats
    quotas_held: Floats
    history: History
    fiscal: FiscalCalendar
    season: Callable[[PlanMetric, str], Season]
    proposed: dict[Cell, Proposed] = field(default_factory=dict)
    capacity: dict[Cell, Fraction] = field(default_factory=dict)
    quotas: dict[Cell, Fraction] = field(default_factory=dict)

    def bases(self, metric: PlanMetric, parents: Mapping[str, str], faults: Faults) -> dict[str, Decimal]:
        """Notes the ways to each target of a metric; the blends that are bases, by node."""
        blends = {}
        for target in self.version.whole.targets:
            if target.metric != metric.key or target.node not in self.tree.place:
                continue
            key = (metric.key, target.node)
            self._capacity(metric, target.node)
            if target.proposals is None:
                continue
            years, recent = self._totals(metric, target.node, parents)
            found = propose(target.proposals, self.version.year, years, recent, self.capacity.get(key))
            self.proposed[key] = found
            if target.base is None and found.blend is not None:
                blends[target.node] = amount_of(found.blend, 0 if metric.unit == "count" else 2)
            elif target.base is None:
                why = "; ".join(f"{way}: {reason}" for way, reason in (found.missing or {}).items())
                text = f"expected results for the blend of its proposals, found {why}; state base until there are some"
                faults.add(f"targets[{metric.key}, {target.node}]", text)
        return blends

    def _capacity(self, metric: PlanMetric, node: str) -> None:
        """Notes what the people below a node are expected to bring, month by month of its season, and their quotas."""
        stated = next((one for one in self.version.whole.capacity if one.metric == metric.key), None)
        if stated is None or not metric.is_additive:
            return
        place = self.tree.place[node]
        full = Fraction(stated.quota_per_head) * HUNDRED
        weights = self.season(metric, node).weights
        heads = zip(self.heads[place].tolist(), weights, strict=True)
        months = sum((Fraction(one) * weight for one, weight in heads), Fraction())
        self.capacity[metric.key, node] = full * months * Fraction(stated.expected_attainment)
        held = self.quotas_held[place].tolist()
        self.quotas[metric.key, node] = full * sum(map(Fraction, held), Fraction()) / len(held)

    def _totals(
        self, metric: PlanMetric, node: str, parents: Mapping[str, str]
    ) -> tuple[list[tuple[int, int]], int | None]:
        """Totals of full past fiscal years, and of the last twelve full months, of a node."""
        if not metric.is_additive:
            return [], None
        spans = [
            [month.start_on for month in self.fiscal.periods(year, "month")]
            for year in self.history.full_years(metric.key, self.version.year, self.fiscal)
        ]
        recent = self.history.last_months(metric.key, self.fiscal)
        starts = list(dict.fromkeys(start for span in (*spans, recent) for start in span))
        months = self.history.by_node(metric.key, starts, parents).get(node)
        if months is None:
            return [], None
        by_start = dict(zip(starts, months.tolist(), strict=True))
        totals = [(self.fiscal.year_of(span[0]), sum(by_start[start] for start in span)) for span in spans]
        # A year without a result is not one to grow from: the metric was not measured, or nothing came of it.
        known = [(year, total) for year, total in totals if total > 0]
        return known, (sum(by_start[start] for start in recent) or None) if recent else None
