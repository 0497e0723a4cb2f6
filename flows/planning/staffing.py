"""Whom a plan counts on, beside who is there: people who are gone, and people who stand elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.config.plan.model import Person
from flows.config.plan.versions import PlanVersion
from flows.planning.allocation.people import people_of
from flows.planning.allocation.tree import place_of

_MOST = 6


@dataclass(frozen=True)
class Stands:
    """Where a rep stands: under which node, and from which day on no more."""

    name: str
    parent: str
    until: date | None


def read_standing(candidate: Path) -> dict[str, Stands]:
    """Every rep of the night that is being built, by user_id."""
    import duckdb

    with duckdb.connect(str(candidate), read_only=True) as connection:
        rows = connection.execute(
            "select user_id, name, parent_node_key, valid_to from marts.dim_node "
            "where node_kind = 'rep' and is_current and user_id is not null and parent_node_key is not null"
        ).fetchall()
    return {user_id: Stands(name, parent, until) for user_id, name, parent, until in rows}


def staffing_notes(
    versions: Iterable[PlanVersion], headcount: Iterable[Person], standing: Mapping[str, Stands], as_of: date
) -> list[str]:
    """What a person should know of the people whom the version in force counts on today, in words.

    A target stays with whom it was given to, and results count where people stand: neither moves by itself.
    """
    inforce = [version for version in versions if max(version.effective_on, version.decided_on) <= as_of]
    if not inforce or not standing:
        return []
    version, sheet = max(inforce, key=lambda one: one.effective_on), tuple(headcount)
    today = [person for person in people_of(version, sheet) if _counts(person, as_of)]
    gone = [person for person in today if person.user_id not in standing]
    left = [(person, until) for person in today if (until := _until(standing, person)) and until <= as_of]
    moved = [
        (person, standing[person.user_id].parent)
        for person in today
        if person.user_id in standing
        and not _until(standing, person)
        and (person.region or person.team)
        and standing[person.user_id].parent != place_of(person)
    ]
    return list(_said(version.id, gone, left, moved))


def _said(
    version: str, gone: list[Person], left: list[tuple[Person, date]], moved: list[tuple[Person, str]]
) -> Iterator[str]:
    if gone:
        yield (
            f"{version}: counts on {len(gone)} who are not in the organisation: {_listed(map(_who, gone))}. Their "
            "targets wait for them; mend the user_id, or let a new version state left_on"
        )
    if left:
        people = (f"{_who(person)} since {until}" for person, until in left)
        yield (
            f"{version}: counts on {len(left)} who have left: {_listed(people)}. Nobody works on their targets; let a "
            "new version state left_on, and the others take over what is left of the year"
        )
    if moved:
        people = (f"{_who(person)}: {place_of(person)}, now {parent}" for person, parent in moved)
        yield (
            f"{version}: {len(moved)} stand elsewhere than the plan has them: {_listed(people)}. Their results count "
            "where they stand, their targets where the plan has them; let a new version state where they are"
        )


def _counts(person: Person, day: date) -> bool:
    first = person.counts_from or person.hired_on
    return (first is None or first <= day) and (person.left_on is None or person.left_on >= day)


def _until(standing: Mapping[str, Stands], person: Person) -> date | None:
    stands = standing.get(person.user_id)
    return stands.until if stands else None


def _who(person: Person) -> str:
    return f"{person.user_id} ({person.name})" if person.name else person.user_id


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return "; ".join(known[:_MOST]) + (f"; and {len(known) - _MOST} more" if len(known) > _MOST else "")
