"""What differs between two versions of a plan, or between two states of a plan file: entry by entry, field by field."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from flows.config.plan.model import Goal, Plan, Version
from flows.config.plan.versions import KEYS, PlanVersion, resolved
from flows.errors import ConfigError

_KEYS: Mapping[str, tuple[str, ...]] = {**KEYS, "funnel": ("metric", "to")}
_SINGLE = ("people_from", "seasonality", "split", "check")
_BY_NAME = ("split_weights", "budget_rates")
_ABOUT = ("effective_on", "decided_on", "decided_by", "reason")


@dataclass(frozen=True)
class Difference:
    """One field that is not the same; an entry that is on one side only has ``change`` added or removed.

    Attributes:
        version: the plan version that the field belongs to; of two versions compared, the later one.
        section: part of the plan file, such as ``targets``.
        entry: what names it there, such as ``bookings · region:North``.
        field: dotted name of the field; empty for an entry that was added or removed as a whole.
    """

    version: str
    section: str
    entry: str
    field: str
    change: str
    before: str
    after: str

    def record(self) -> dict[str, str]:
        """As one line of a table."""
        return asdict(self)


def find_version(plans: Iterable[Plan], name: str) -> PlanVersion:
    """The version of this id.

    Raises:
        ConfigError: no plan has it; the message lists those that there are.
    """
    versions = {version.id: version for plan in plans for version in resolved(plan)}
    if name not in versions:
        known = ", ".join(versions) or "none: there is no file in plans/"
        raise ConfigError([f"plan version: expected one of the configured versions ({known}); found {name!r}"])
    return versions[name]


def of_versions(before: PlanVersion, after: PlanVersion) -> tuple[Difference, ...]:
    """What holds in ``after`` and did not in ``before``, and the other way round: with all that each takes over."""
    return tuple(_of_content(after.id, _content(before.whole), _content(after.whole)))


def of_plans(before: Plan | None, after: Plan) -> tuple[Difference, ...]:
    """What a plan file says and did not say before: each version as it is written, and the goals."""
    found = list(_of_content("", _goals(before.goals if before else ()), _goals(after.goals)))
    if before is None or before.flavour != after.flavour:
        old = before.flavour if before else ""
        found.append(Difference("", "plan", "", "flavour", "changed" if before else "added", old, after.flavour))
    olds = {version.id: version for version in before.versions} if before else {}
    news = {version.id: version for version in after.versions}
    for name in dict.fromkeys((*olds, *news)):
        old_content = _content(olds[name]) if name in olds else {}
        new_content = _content(news[name]) if name in news else {}
        found += _of_content(name, old_content, new_content)
    return tuple(found)


_Entries = dict[tuple[str, str], dict[str, str]]


def _content(version: Version) -> _Entries:
    """Section and entry -> field -> value as text."""
    found: _Entries = {("version", ""): _fields({name: getattr(version, name) for name in _ABOUT})}
    for section, keys in _KEYS.items():
        for entry in getattr(version, section) or ():
            fields = entry.model_dump()
            name = " · ".join(_said(fields[key]) for key in keys if fields[key] is not None)
            found[section, name] = _fields({key: value for key, value in fields.items() if key not in keys})
    for section in _BY_NAME:
        for name, value in (getattr(version, section) or {}).items():
            found[section, name] = {"": _said(value)}
    for section in _SINGLE:
        value = getattr(version, section)
        if value is not None:
            found[section, ""] = _fields(value.model_dump() if isinstance(value, BaseModel) else {"": value})
    return found


def _goals(goals: Iterable[Goal]) -> _Entries:
    found: _Entries = {}
    for goal in goals:
        found["goals", goal.id] = _fields(goal.model_dump(exclude={"id", "initiatives"}))
        for initiative in goal.initiatives:
            about = initiative.model_dump(exclude={"id", "actions"})
            found["initiatives", initiative.id] = _fields({"goal": goal.id, **about})
            for action in initiative.actions:
                about = action.model_dump(exclude={"id"})
                found["actions", action.id] = _fields({"initiative": initiative.id, **about})
    return found


def _fields(values: Mapping[str, Any]) -> dict[str, str]:
    """Dotted names and texts of what is stated; lists of plain values are one field."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            inner = _fields(value)
            found |= {f"{name}.{key}" if name else key: text for key, text in inner.items()}
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            for number, one in enumerate(value, 1):
                found |= {f"{name}.{number}.{key}": text for key, text in _fields(one).items()}
        elif value is not None:
            found[name] = _said(value)
    return found


def _said(value: Any) -> str:
    from decimal import Decimal

    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        plain = f"{value:,f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value)
    return str(value)


def _of_content(version: str, before: _Entries, after: _Entries) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            change = "added" if old is None else "removed"
            yield Difference(version, *key, "", change, _line(old), _line(new))
            continue
        for field in dict.fromkeys((*old, *new)):
            if old.get(field) != new.get(field):
                yield Difference(version, *key, field, "changed", old.get(field, ""), new.get(field, ""))


def _line(fields: Mapping[str, str] | None) -> str:
    return ", ".join(f"{name}: {text}" if name else text for name, text in (fields or {}).items())
