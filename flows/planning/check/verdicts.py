"""What the check of a plan says: a verdict for each statement and letter, each with its reasons."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "warn", "fail"]
Letter = Literal["S", "M", "A", "R", "T", "DRI"]
Kind = Literal["file", "target", "pin", "goal", "initiative", "action"]
LETTERS: tuple[Letter, ...] = ("S", "M", "A", "R", "T", "DRI")
"""Specific, measurable, achievable, relevant, time-bound, and one person responsible."""
_RANK: dict[Verdict, int] = {"pass": 0, "warn": 1, "fail": 2}


@dataclass(frozen=True)
class Finding:
    """One reason: its ``code`` names the text in ``wording``, ``said`` what stands in it."""

    letter: Letter
    verdict: Verdict
    code: str
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One statement of a plan: a target or pin of a version, a goal, an initiative, an action, or a faulty place."""

    kind: Kind
    name: str
    version: str | None = None


@dataclass(frozen=True)
class Judged:
    """A statement with everything that was found about it."""

    item: Item
    findings: tuple[Finding, ...]

    def of(self, letter: Letter) -> list[Finding]:
        """The findings of one letter, worst first."""
        return sorted((one for one in self.findings if one.letter == letter), key=lambda one: -_RANK[one.verdict])

    def verdict(self, letter: Letter) -> Verdict | None:
        """The worst of the letter; None where nothing is asked of such a statement."""
        found = self.of(letter)
        return found[0].verdict if found else None


@dataclass(frozen=True)
class Report:
    """The check of one fiscal year's plan."""

    year: int
    judged: tuple[Judged, ...]

    def count(self, verdict: Verdict) -> int:
        """Letters of statements with this verdict."""
        return sum(one.verdict(letter) == verdict for one in self.judged for letter in LETTERS)


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The worst of several."""
    return max(verdicts, key=_RANK.__getitem__, default=None)
