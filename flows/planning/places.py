"""Where the amounts of a plan are stated: in its file with the line, in a workbook with sheet, row and column."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Plan
from flows.config.plan.versions import PlanVersion
from flows.config.yaml_file import Lines, Place, Where, place, plain

_NAMED = re.compile(r"(?P<section>targets|pins|people|nodes)\[(?P<key>.*?)\](?P<field>\.\w+)?")
_FIELD = {"people": "ramp", "nodes": "node"}
_STRETCH = "stretch above base of "
_MOST = 3


class Statements:
    """The statements of one plan, found by what a fault of an amount says.

    Args:
        plan: whose amounts they are.
        fiscal: names the periods.
        at: tells a place of the plan.
    """

    def __init__(self, plan: Plan, fiscal: FiscalCalendar, at: Place) -> None:
        self._plan, self._fiscal, self._at = plan, fiscal, at
        self._numbers = {version.id: number for number, version in enumerate(plan.versions)}

    def version(self, version: PlanVersion) -> str:
        """Where a version begins; by its id, as its number says little to a reader."""
        number = self._numbers[version.id]
        return self._at(("versions", number, "id")).replace(f"versions.{number}.id", f"versions.{version.id}", 1)

    def amount(self, version: PlanVersion, fault: str, text: str) -> str:
        """One line of a fault of an amount, at the statement that it is about.

        Args:
            version: in which the amount cannot hold.
            fault: what it is about, as an allocation names it: ``pins[bookings, rep:a, Q1]``, ``bookings, rep:a Q1``.
            text: what was expected and found.
        """
        found = [where for _, where in sorted(self._about(version, fault, text), key=lambda one: one[0])]
        if not found:
            return f"{self.version(version)}.{fault}: {text}"
        others = [_short(self._at(where), self._at(found[0])) for where in found[1 : 1 + _MOST]]
        beside = f" (see also {'; '.join(others)})" if others else ""
        taken_over = "" if found[0][1] == self._numbers[version.id] else f"version {version.id}: "
        return f"{self._at(found[0])}: {taken_over}{fault}: {text}{beside}"

    def _about(self, version: PlanVersion, fault: str, text: str) -> Iterator[tuple[int, Where]]:
        """Places of what a fault names, with their rank: what sets the very cell by hand, other such cells, targets."""
        named = _NAMED.match(fault)
        metric, _, cell = fault.removeprefix(_STRETCH).partition(", ")
        step: PlanVersion | None = version
        while step is not None:
            for section in ("people", "pins", "targets"):
                for number, entry in enumerate(getattr(step.own, section)):
                    here: Where = ("versions", self._numbers[step.id], section, number)
                    if named:
                        if named["section"] in (section, "nodes") and self._is_named(named, section, entry):
                            yield 0, (*here, _FIELD.get(named["section"], "base"))
                    elif section != "people" and entry.metric == metric:
                        said = f"{entry.node} {entry.period if section == 'pins' else 'year'}"
                        is_cell = self._is_cell(cell, said)
                        if is_cell or _is_said(said, text):
                            rank = 2 if section == "targets" else int(not is_cell)
                            yield rank, (*here, "stretch" if fault.startswith(_STRETCH) else "base")
            step = step.before

    def _is_named(self, named: re.Match[str], section: str, entry: Any) -> bool:
        if named["section"] == "nodes":
            return section != "people" and bool(entry.node == named["key"])
        keys = {"people": ("user_id",), "targets": ("metric", "node"), "pins": ("metric", "node", "period")}
        return ", ".join(getattr(entry, name) for name in keys[section]) == named["key"]

    def _is_cell(self, cell: str, said: str) -> bool:
        """Whether both name one node and period; a month has two names."""
        (node, _, period), (other, _, name) = cell.rpartition(" "), said.rpartition(" ")
        if node != other:
            return False
        wanted = self._fiscal.named(self._plan.year, period)
        return wanted is not None and wanted == self._fiscal.named(self._plan.year, name)


def places_of(folder: Path, plan: Plan) -> Place:
    """Places of a plan in the file of a folder that states its year."""
    for path in sorted(folder.glob("*.y*ml")):
        lines: Lines = {}
        data = plain(path, [], lines)
        if isinstance(data, dict) and data.get("year") == plan.year:
            return place(path, lines)
    return place(folder / f"{plan.year}.yaml", {})


def _is_said(place_said: str, text: str) -> bool:
    return re.search(rf"(?<![\w:/-]){re.escape(place_said)}(?![\w-])", text) is not None


def _short(place_said: str, first: str) -> str:
    """A place without the name of the file that the first one is in."""
    file = re.match(r".*?\.(?:ya?ml:|xlsx: )", first)
    return place_said.removeprefix(file[0]) if file else place_said
