"""What each mart costs, alone and with all that it is made from, and how that grows with the number of deals."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_SECONDS = 0.5
"""Below it a model's time is that of starting a statement, and says nothing about growth."""

Timings = Mapping[str, tuple[float, float]]
"""Wall and CPU seconds of each model."""


@dataclass(frozen=True)
class MartCost:
    """One published table at several sizes of the company, smallest first.

    Attributes:
        name: the table.
        wall: seconds of the table alone.
        cpu: CPU seconds of the table alone.
        whole: CPU seconds of the table and everything it is made from; what several tables share counts for each.
        exponent: how the table's own CPU seconds grow from the smallest size to the largest; None where they are too
            few to tell.
    """

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    whole: tuple[float, ...]
    exponent: float | None


def growth_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float | None:
    """The e of seconds ∝ size^e, smallest size to largest; None for one size or too little work to tell."""
    if len(sizes) < 2 or seconds[-1] < LEAST_SECONDS or seconds[0] <= 0:
        return None
    return math.log(seconds[-1] / seconds[0]) / math.log(sizes[-1] / sizes[0])


def mart_costs(
    models: Mapping[str, Mapping[str, Any]], sizes: Sequence[float], timings: Sequence[Timings]
) -> list[MartCost]:
    """The published tables by what they cost alone at the largest size, the dearest first.

    Args:
        models: the project's models by unique id, as dbt's manifest has them.
        sizes: millions of deals, ascending.
        timings: for each size, what each model took.
    """
    costs = []
    for key, node in models.items():
        if node["schema"] != "marts":
            continue
        names = {node["name"], *(models[parent]["name"] for parent in ancestors(key, models))}
        own = [took.get(node["name"], (0.0, 0.0)) for took in timings]
        cpu = tuple(pair[1] for pair in own)
        whole = tuple(sum(took[name][1] for name in names if name in took) for took in timings)
        wall = tuple(pair[0] for pair in own)
        costs.append(MartCost(node["name"], wall, cpu, whole, growth_exponent(sizes, cpu)))
    return sorted(costs, key=lambda cost: -cost.cpu[-1])


def ancestors(key: str, models: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Unique ids of all models that a model is made from."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        for parent in models[waiting.pop()]["depends_on"]["nodes"]:
            if parent in models and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def table(sizes: Sequence[float], costs: Sequence[MartCost]) -> Iterator[str]:
    """The costs as lines of text: seconds at each size, alone and with everything a table is made from."""
    heads = [f"{what} {size:g} M" for size in sizes for what in ("wall", "CPU", "whole")]
    yield "".join([f"{'mart':<28}", *(f"{head:>13}" for head in heads), f"{'growth':>9}"])
    for cost in costs:
        cells = [f"{value:>13.2f}" for triple in zip(cost.wall, cost.cpu, cost.whole, strict=True) for value in triple]
        growth = "–" if cost.exponent is None else f"{cost.exponent:.2f}"
        yield "".join([f"{cost.name:<28}", *cells, f"{growth:>9}"])
