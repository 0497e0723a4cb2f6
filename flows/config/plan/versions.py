"""The versions of a plan, each with what it takes from those before it.

A later version states only what differs: sections that it leaves out, it takes from the version before; targets,
hand-set cells, people, ramps, capacity, incentive rules, splits and draws are merged by their keys. What is to hold no
more is ``withdrawn``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar

from flows.config.plan.model import Goal, Plan, PlanFlavour, Version

T = TypeVar("T")


@dataclass(frozen=True)
class PlanVersion:
    """One version with all that it takes from the versions before.

    Attributes:
        own: the version as written.
        whole: the same with every section; ``targets`` … are those that hold.
    """

    year: int
    flavour: PlanFlavour
    goals: tuple[Goal, ...]
    own: Version
    whole: Version
    before: "PlanVersion | None"

    @property
    def id(self) -> str:
        """The version's id."""
        return self.own.id

    @property
    def effective_on(self) -> date:
        """First day on which it holds."""
        return self.own.effective_on

    @property
    def decided_on(self) -> date:
        """The night from which it is known."""
        return self.own.decided_on or self.own.effective_on


def resolved(plan: Plan) -> tuple[PlanVersion, ...]:
    """The versions of a plan, each with what it takes from those before it."""
    found: list[PlanVersion] = []
    for version in plan.versions:
        before = found[-1] if found else None
        whole = _over(before.whole, version) if before else version
        found.append(PlanVersion(plan.year, plan.flavour, plan.goals, version, whole, before))
    return tuple(found)


KEYS: dict[str, tuple[str, ...]] = {
    "targets": ("metric", "node", "segment"),
    "pins": ("metric", "node", "period"),
    "withdrawn": ("metric", "node", "segment", "period"),
    "people": ("user_id",),
    "ramps": ("id",),
    "capacity": ("metric",),
    "incentives": ("id",),
    "splits": ("record_id", "user_id"),
    "draws": ("user_id", "from_on"),
}
"""Sections whose entries are merged with those of the versions before, and the fields that name an entry."""


def key_of(section: str, entry: Any) -> tuple[Any, ...]:
    """What names an entry of a section."""
    return tuple(getattr(entry, name) for name in KEYS[section])


def _over(before: Version, version: Version) -> Version:
    gone = {withdrawal.withdraws for withdrawal in version.withdrawn}
    sections: dict[str, Any] = {
        name: _merged(
            (entry for entry in getattr(before, name) if (name, key_of(name, entry)) not in gone),
            getattr(version, name),
            partial(key_of, name),
        )
        for name in KEYS
    }
    single = ("people_from", "seasonality", "split", "split_weights", "funnel", "budget_rates", "check")
    sections |= {
        name: getattr(before, name) if getattr(version, name) is None else getattr(version, name) for name in single
    }
    return version.model_copy(update=sections)


def _merged(before: Iterable[T], now: Iterable[T], key: Callable[[T], object]) -> tuple[T, ...]:
    """By key: what is stated again replaces, field by field, what stood before."""
    found = {key(one): one for one in before}
    for one in now:
        old = found.get(key(one))
        found[key(one)] = one if old is None else _restated(old, one)
    return tuple(found.values())


def _restated(old: Any, new: Any) -> Any:
    return old.model_copy(update={name: getattr(new, name) for name in new.model_fields_set})
