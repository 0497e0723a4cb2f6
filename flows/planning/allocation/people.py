"""Whom a plan version counts on: the people it states, and those of the staffing sheet (编制) where it says so."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from flows.config.plan.model import Person, Ramp
from flows.config.plan.versions import PlanVersion

SHEET_RAMP = "headcount:"
"""Ramps of the staffing sheet are named by their months."""


def people_of(version: PlanVersion, headcount: Iterable[Person]) -> tuple[Person, ...]:
    """The people of a version; of the staffing sheet, those that the plan states too are as the plan states them."""
    if version.whole.people_from is None:
        return version.whole.people
    found = {person.user_id: person for person in headcount}
    found |= {person.user_id: person for person in version.whole.people}
    return tuple(found.values())


def read_headcount(log: Path) -> tuple[Person, ...]:
    """People and planned hires of the staffing sheet, as the night's change log last has them.

    Args:
        log: ``build/log/headcount``.
    """
    import duckdb

    if not any(log.rglob("*.parquet")):
        return ()
    with duckdb.connect() as connection:
        rows = connection.execute(
            """
            select user_id, name, region, team, hired_on, left_on, ramp_months, quota_share
            from (
                select *, row_number() over (partition by user_id order by _observed_on desc, _valid_from desc) as place
                from read_parquet(?, union_by_name = true, hive_partitioning = false)
            )
            where place = 1 and _change <> 'deleted'
            order by user_id
            """,
            [str(log / "*.parquet")],
        ).fetchall()
    return tuple(
        Person(
            user_id=user_id,
            name=name,
            region=region,
            team=team,
            hired_on=hired_on,
            left_on=left_on,
            ramp=f"{SHEET_RAMP}{ramp_months}" if ramp_months else None,
            quota=Decimal(1) if quota is None else Decimal(str(round(quota, 6))),
        )
        for user_id, name, region, team, hired_on, left_on, ramp_months, quota in rows
    )


def ramps_of(version: PlanVersion, people: Iterable[Person]) -> dict[str, Ramp]:
    """The plan's ramps, and those of the staffing sheet: n months to full productivity rise in n + 1 equal steps."""
    found = {ramp.id: ramp for ramp in version.whole.ramps}
    for person in people:
        if person.ramp and person.ramp.startswith(SHEET_RAMP):
            months = int(person.ramp.removeprefix(SHEET_RAMP))
            steps = tuple((Decimal(month) / (months + 1)).quantize(Decimal("0.0001")) for month in range(1, months + 1))
            found.setdefault(person.ramp, Ramp(id=person.ramp, shares=steps))
    return found
