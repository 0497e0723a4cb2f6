"""The organisation that a plan version is decomposed along: company, regions, teams, reps, as the plan places them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flows.config.plan.model import Person
from flows.planning.allocation.rounding import Ints

COMPANY = "company"


def parent_of(key: str) -> str | None:
    """The node above a company, region or team, which their keys tell; None for the company.

    Raises:
        ValueError: the key is that of a rep, whose place only the plan or the organisation knows.
    """
    kind, _, name = key.partition(":")
    if kind == COMPANY:
        return None
    if kind == "region":
        return COMPANY
    if kind == "team":
        region = name.partition("/")[0]
        return COMPANY if region == "-" else f"region:{region}"
    raise ValueError(f"expected a company, region or team, found {key!r}")


def upwards(key: str) -> Iterator[str]:
    """A company, region or team, and the nodes above it."""
    above: str | None = key
    while above is not None:
        yield above
        above = parent_of(above)


def place_of(person: Person) -> str:
    """The node that a person stands in."""
    if person.team is not None:
        return f"team:{person.region or '-'}/{person.team}"
    return COMPANY if person.region is None else f"region:{person.region}"


@dataclass(frozen=True)
class Tree:
    """Nodes in order: level by level, the children of a node together, each by key.

    Attributes:
        keys: node keys; the company first.
        parent: place of each node's parent; -1 for the company.
        depth: steps from the company.
    """

    keys: tuple[str, ...]
    parent: Ints
    depth: Ints

    @cached_property
    def place(self) -> dict[str, int]:
        """Place of each key."""
        return {key: number for number, key in enumerate(self.keys)}

    @cached_property
    def children(self) -> tuple[Ints, ...]:
        """Places of the children of each node."""
        order = np.arange(1, len(self.keys))
        firsts = np.searchsorted(self.parent[1:], np.arange(len(self.keys) + 1))
        return tuple(order[first:last] for first, last in zip(firsts, firsts[1:], strict=False))

    def level(self, depth: int) -> Ints:
        """Places of the nodes of one level."""
        return np.flatnonzero(self.depth == depth)

    def above(self, place: int) -> list[int]:
        """Places of the nodes above one, the nearest first."""
        found = []
        while self.parent[place] >= 0:
            place = int(self.parent[place])
            found.append(place)
        return found

    def summed_up(self, values: Any) -> Any:
        """Values of nodes (one row each), each with those of all nodes below it."""
        found = values.copy()
        for depth in range(int(self.depth.max(initial=0)), 0, -1):
            nodes = self.level(depth)
            np.add.at(found, self.parent[nodes], found[nodes])
        return found


def plant(people: Iterable[Person], named: Iterable[str], placed: Mapping[str, str]) -> tuple[Tree, list[str]]:
    """The tree of the people, and of the nodes that targets and pins name.

    Args:
        people: as the plan states them.
        named: further node keys.
        placed: parent of rep nodes that no person of the plan stands for, by the CRM's organisation.

    Returns:
        The tree, and the named rep nodes that nobody knows, which are left out.
    """
    parents: dict[str, str | None] = {COMPANY: None}
    parents |= {f"rep:{person.user_id}": place_of(person) for person in people}
    unknown = []
    for key in sorted(set(named)):
        if key in parents:
            continue
        if not key.startswith("rep:"):
            parents[key] = parent_of(key)
        elif key in placed:
            parents[key] = placed[key]
        else:
            unknown.append(key)
    for key in list(parents):
        above = parents[key]
        while above is not None and above not in parents:
            parents[above] = parent_of(above)
            above = parents[above]
    return _ordered(parents), unknown


def _ordered(parents: Mapping[str, str | None]) -> Tree:
    below: dict[str, list[str]] = {}
    for key, parent in parents.items():
        if parent is not None:
            below.setdefault(parent, []).append(key)
    keys, parent_places, depths = [COMPANY], [-1], [0]
    for place, key in enumerate(keys):  # grows while it is read
        for child in sorted(below.get(key, ())):
            keys.append(child)
            parent_places.append(place)
            depths.append(depths[place] + 1)
    return Tree(tuple(keys), np.array(parent_places), np.array(depths))
