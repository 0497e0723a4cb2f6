"""Plans and allocated cells for tests of what is derived from them: a company of two teams, months of 2026."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.config.plan import Plan, PlanVersion, resolved
from flows.warehouse.inputs import PLAN_TARGET

FISCAL = FiscalCalendar()
WEEKDAYS = frozenset(
    day for day in (date(2024, 1, 1) + timedelta(days=n) for n in range(1100)) if day.weekday() < 5
)  # 2024-01-01 to 2027-01-04
TREE = {
    "rep:a": "team:E/1",
    "rep:b": "team:E/1",
    "rep:c": "team:E/2",
    "team:E/1": "region:E",
    "team:E/2": "region:E",
    "region:E": "company",
    "company": None,
}


def versions(*stated: Mapping[str, Any]) -> tuple[PlanVersion, ...]:
    """The versions of a plan for 2026; each needs only what the test is about."""
    filled = [
        {"id": f"v{number}", "effective_on": date(2026, 1, 1), "decided_by": "a", "reason": "a test", **one}
        for number, one in enumerate(stated, start=1)
    ]
    return resolved(Plan.model_validate({"year": 2026, "versions": filled}))


def cells(
    months: Mapping[str, Sequence[int]],
    *,
    metric: str = "bookings",
    stretch: Mapping[str, Sequence[int]] | None = None,
    capacity: Mapping[str, Sequence[float]] | None = None,
    tree: Mapping[str, str | None] = TREE,
) -> pl.DataFrame:
    """Months of leaves in whole units, with every node above them, as the allocation gives them."""
    sums: dict[tuple[str, int], list[int | None]] = {}
    for leaf, amounts in months.items():
        for place, amount in enumerate(amounts):
            top = None if stretch is None else stretch[leaf][place]
            node: str | None = leaf
            while node is not None:
                before = sums.get((node, place), [0, 0])
                sums[node, place] = [
                    before[0] + amount,
                    None if top is None or before[1] is None else before[1] + top,
                ]
                node = tree[node]
    rows = [
        {
            **dict.fromkeys(PLAN_TARGET),
            "plan_version": "v1",
            "metric": metric,
            "unit": "money",
            "period_kind": "month",
            "period_start_on": date(2026, place + 1, 1),
            "node_key": node,
            "parent_node_key": tree[node],
            "base_hundredths": base * 100,
            "stretch_hundredths": None if top is None else top * 100,
            "derivation": "split",
            "capacity": capacity[node][place] if capacity and node in capacity else None,
        }
        for (node, place), (base, top) in sums.items()
    ]
    return pl.DataFrame(rows, schema=PLAN_TARGET, orient="row")


def units(
    rows: pl.DataFrame, metric: str, node: str, kind: str = "month", column: str = "base_hundredths"
) -> list[int]:
    """A node's targets of one kind of period, in order, in whole units."""
    own = rows.filter(metric=metric, node_key=node, period_kind=kind).sort("period_start_on")
    return [amount // 100 for amount in own[column]]
