"""A made-up company as rows, and what is to be known of it without any query."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Period:
    """A calendar month or a quarter or year of the fiscal year."""

    kind: str
    start: date
    end: date


@dataclass(frozen=True)
class Company:
    """Rows of the change log by entity, and the facts that a test knows besides.

    Attributes:
        as_of: the night.
        log: rows of the change log, each key's newest last.
        keys: the key column of each entity.
        path: nodes above a person, from its own, by user_id; whoever is not there is unassigned.
        merged_into: surviving deal of each merged one.
        merged_accounts: surviving account of each merged one.
        fiscal_start: first month of the fiscal year.
        holidays: days off beside weekends.
    """

    as_of: date
    log: Mapping[str, Sequence[Row]]
    keys: Mapping[str, str]
    path: Mapping[str, tuple[str, ...]]
    merged_into: Mapping[str, str] = field(default_factory=dict)
    fiscal_start: int = 1
    holidays: frozenset[date] = frozenset()
    merged_accounts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _now(self) -> dict[str, list[Row]]:
        return {entity: list(self._newest(entity).values()) for entity in self.log}

    def _newest(self, entity: str) -> dict[str, Row]:
        newest = {row[self.keys[entity]]: row for row in self.log[entity]}
        return {key: row for key, row in newest.items() if row.get("_change") != "deleted"}

    def now(self, entity: str) -> list[Row]:
        """The rows that stand tonight."""
        return self._now.get(entity, [])

    @cached_property
    def deals(self) -> dict[str, Row]:
        """The newest row of every deal, gone ones among them: `is_deleted`, and `value` in the reporting currency."""
        newest = {row["opportunity_id"]: row for row in self.log["opportunity"]}
        return {
            key: row
            | {
                "is_deleted": row.get("_change") == "deleted" or key in self.merged_into,
                "value": row.get("amount") or 0,
            }
            for key, row in newest.items()
        }

    @cached_property
    def working_days(self) -> frozenset[date]:
        """Monday to Friday but for holidays, four years around the night."""
        days = (self.as_of + timedelta(number) for number in range(-1200, 400))
        return frozenset(day for day in days if day.weekday() < 5 and day not in self.holidays)


def periods_of(company: Company, day: date, kinds: Iterable[str]) -> Iterator[Period]:
    """The periods of these kinds in which a day lies."""
    for kind in kinds:
        length = {"month": 1, "quarter": 3, "year": 12}[kind]
        month = day.year * 12 + day.month - 1
        start = month - (month - (company.fiscal_start - 1)) % length
        yield Period(kind, _first(start), _first(start + length) - timedelta(1))


def _first(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def nodes_of(company: Company, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The node of the row's owner and those above it."""
    return company.path.get(row.get("owner_id") or "", ("rep:(unassigned)", "company"))


def is_above_reps(company: Company, node: str) -> bool:
    """Whether a node is a team, a region or the company."""
    return not node.startswith("rep:")


def dimension(value: str | None) -> str:
    """How a value is shown beside the total, which is called all."""
    return "(none)" if value is None else "(all)" if value == "all" else value
