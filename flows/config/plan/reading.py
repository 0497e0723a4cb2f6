"""A plan from plain data, with every fault of it: what is wrong in one entry does not hide what is wrong in another."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from flows.config.plan.faults import Company, faults_by_place, plan_faults
from flows.config.plan.metrics import not_measured, plan_metric
from flows.config.plan.model import Plan
from flows.config.yaml_file import Place, Where, validated

_MOST_ROUNDS = 50
_NAMED_BY: Mapping[str, frozenset[str]] = {
    "people": frozenset({"node", "user_id", "split_weights", "applies_to"}),
    "goals": frozenset({"goal", "goals"}),
    "ramps": frozenset({"ramp"}),
    "capacity": frozenset({"capacity"}),
}
"""Sections whose entries are named elsewhere, and in which fields: where one is left out, nothing is said of those."""


@dataclass(frozen=True)
class Standing:
    """A plan without the entries that are faulty.

    Attributes:
        left_out: places of those entries in the data as they were given.
    """

    plan: Plan
    left_out: tuple[Where, ...]
    _data: Any
    _origin: Mapping[int, Where]

    def given(self, where: Where) -> Where:
        """The place in the data as they were given; entries after one that is left out have moved up."""
        node: Any = self._data
        place: Where = ()
        for number, part in enumerate(where):
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return (*place, *where[number:])
            place = self._origin.get(id(node), (*place, part))
        return place


def read_plan(data: Any, company: Company | None, at: Place, faults: list[str]) -> Plan | None:
    """The plan that plain data state; a line for each fault is appended to ``faults``.

    Returns:
        The plan, be it that it names what is not there; None where a field of it says nothing that can be read.
    """
    found: list[str] = []
    plan = validated(data, Plan, at, found)
    if plan is not None:
        faults += plan_faults(plan, company, at) if company else []
        return plan
    standing = what_stands(data)
    # Without one of its versions a plan is another one: nothing is said of what those after it take over.
    if company and standing is not None and all(len(where) > 2 or where[0] == "goals" for where in standing.left_out):
        found += _misspelt(data, standing, at)
        silent = {name for where in standing.left_out for name in _NAMED_BY.get(_section(where), ())}
        found += [
            f"{at(standing.given(where))}: {message}"
            for where, message in faults_by_place(standing.plan, company)
            if silent.isdisjoint(where)
        ]
    faults += dict.fromkeys(found)
    return None


def what_stands(data: Any) -> Standing | None:
    """The plan without the entries that are faulty; None where the fault is in no entry of a list."""
    data = deepcopy(data)
    origin = dict(_entries(data, ()))
    left_out: list[Where] = []
    for _ in range(_MOST_ROUNDS):
        try:
            return Standing(Plan.model_validate(data), tuple(left_out), data, origin)
        except ValidationError as error:
            faulty = {where for fault in error.errors() if (where := _entry(fault["loc"]))}
            if not faulty:
                return None
            # The last of a list first, and what is within an entry before the entry.
            for *above, position in sorted(faulty, reverse=True):
                entries = _at(data, tuple(above))
                left_out.append(origin.get(id(entries[position]), (*above, position)))
                del entries[position]
    return None


def _entries(node: Any, where: Where) -> Iterator[tuple[int, Where]]:
    """Entries of lists by their identity, each with its place."""
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if isinstance(inner, dict):
            yield id(inner), (*where, key)
        yield from _entries(inner, (*where, key))


def _entry(where: Where) -> Where:
    """The innermost entry of a list that the place is in."""
    inner = [number for number, part in enumerate(where) if isinstance(part, int)]
    return where[: inner[-1] + 1] if inner else ()


def _at(data: Any, where: Where) -> Any:
    for part in where:
        data = data[part]
    return data


def _section(where: Where) -> str:
    return str(where[2] if where[0] == "versions" and len(where) > 2 else where[0])


def _misspelt(data: Any, standing: Standing, at: Place) -> Iterator[str]:
    """Metrics that no mart computes, in entries that are left out for another fault."""
    for where in standing.left_out:
        entry = _at(data, where)
        for name in ("metric", "to"):
            said = entry.get(name) if isinstance(entry, dict) and where[0] == "versions" else None
            if isinstance(said, str) and plan_metric(said) is None and _section(where) != "draws":
                yield f"{at((*where, name))}: {not_measured()}; found {said!r}"
