"""Plan files that do not load: what is faulty is told; what is not is read, so that it can be checked all the same."""

import re
from pathlib import Path

import yaml

from flows.config.plan.model import Plan
from flows.config.plan.reading import what_stands
from flows.planning.check.verdicts import Finding, Item, Judged, Letter

_PLACE = re.compile(r"^(?P<file>.*?\.ya?ml)(?::(?P<line>\d+))?: (?P<place>[\w.\[\], :/-]+?): (?P<text>.+)$", re.DOTALL)
_LETTERS: tuple[tuple[Letter, re.Pattern[str]], ...] = (
    ("M", re.compile(r"\bmetric|no mart|of the marts|stage")),
    ("T", re.compile(r"due_on|period|effective_on|decided_on|year")),
    ("R", re.compile(r"goal|parent")),
    ("DRI", re.compile(r"\bdri\b")),
    ("S", re.compile(r"node|segment|name|id\b|people|user_id")),
)


def file_findings(faults: list[str]) -> list[Judged]:
    """A failed letter for each fault of a file, at its place and line.

    A list that lacks entries only because they are faulty is no fault of its own.
    """
    matches = [_PLACE.match(fault) for fault in faults]
    places = [match["place"] for match in matches if match]
    return [
        _judged(fault, match)
        for fault, match in zip(faults, matches, strict=True)
        if match is None or not any(place.startswith(f"{match['place']}.") for place in places)
    ]


def _judged(fault: str, match: re.Match[str] | None) -> Judged:
    if match is None:
        return Judged(Item("file", fault.partition(":")[0]), (Finding("S", "fail", "file_fault", {"text": fault}),))
    line = f":{match['line']}" if match["line"] else ""
    name = f"{Path(match['file']).name}{line} {match['place']}"
    letter: Letter = next((one for one, word in _LETTERS if word.search(f"{match['place']} {match['text']}")), "A")
    return Judged(Item("file", name), (Finding(letter, "fail", "file_fault", {"text": match["text"]}),))


def read_what_stands(path: Path) -> Plan | None:
    """The plan without the entries that are faulty; None where the fault is in no entry of a list."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    standing = what_stands(data)
    return standing.plan if standing else None
