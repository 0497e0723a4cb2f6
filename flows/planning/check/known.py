"""What is known beside the plan: organisation, people, results, pipeline. Before the first night, nothing is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from flows.config.plan.model import Person, Plan
from flows.config.plan.versions import resolved
from flows.planning.allocation.people import read_headcount

Cell = tuple[str, str]
"""Metric and node."""


@dataclass(frozen=True)
class Member:
    """One of the people whom the export of users names."""

    name: str
    is_active: bool
    left_on: date | None


@dataclass(frozen=True)
class Outlook:
    """How a running period stands in the published marts."""

    period_start_on: date
    target: Decimal | None
    coverage_remaining: float | None
    coverage_required: float | None
    probability: float | None


@dataclass(frozen=True)
class Known:
    """What a plan is checked against.

    Attributes:
        night: as-of date of the published marts; None before the first night, and then all that follows is empty.
        nodes: keys of tonight's organisation.
        people: by user_id.
        headcount: the staffing sheet.
        segments: of customers.
        kinds: of activities, in small letters.
        months: actual by metric, node and first day of the fiscal month.
        quarter: by metric and node, the running quarter.
        year: the running year.
    """

    night: date | None = None
    nodes: frozenset[str] = frozenset()
    people: Mapping[str, Member] = field(default_factory=dict)
    headcount: tuple[Person, ...] = ()
    segments: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    months: Mapping[Cell, Mapping[date, Decimal]] = field(default_factory=dict)
    quarter: Mapping[Cell, Outlook] = field(default_factory=dict)
    year: Mapping[Cell, Outlook] = field(default_factory=dict)


def read_known(marts: Path, log: Path, plans: Iterable[Plan]) -> Known:
    """Read what ``plans`` name from built marts (read-only) and the change log; nothing where there are no marts."""
    if not marts.is_file():
        return Known()
    stated = sorted({cell for plan in plans for cell in _cells(plan)})
    cells = [[metric for metric, _ in stated], [node for _, node in stated]]
    with duckdb.connect(str(marts), read_only=True) as connection:
        night = connection.execute("select max(as_of_date) from marts.dim_stage").fetchall()[0][0]
        columns = {row[0] for row in connection.execute("describe marts.mart_target_attainment").fetchall()}
        nodes = connection.execute("select node_key from marts.dim_node where is_current").fetchall()
        segments = connection.execute(
            "select distinct segment from marts.dim_account where segment is not null"
        ).fetchall()
        months: dict[Cell, dict[date, Decimal]] = {}
        connection.execute(
            "create temporary table stated as select unnest($1) as metric, unnest($2) as node_key", cells
        )
        for metric, node, start, actual in connection.execute(
            """
            select metric, node_key, period_start_on, actual
            from marts.mart_target_attainment semi join stated using (metric, node_key)
            where period_kind = 'month' and actual is not null
            """
        ).fetchall():
            months.setdefault((metric, node), {})[start] = actual
        required = "coverage_required" if "coverage_required" in columns else "null"
        running: dict[str, dict[Cell, Outlook]] = {"quarter": {}, "year": {}}
        for kind, metric, node, *outlook in connection.execute(
            f"""
            select period_kind, metric, node_key, period_start_on, target_base, coverage_remaining, {required}, p_hit
            from marts.mart_target_attainment semi join stated using (metric, node_key)
            where is_current and period_kind in ('quarter', 'year')
            """  # noqa: S608 (one of two constants)
        ).fetchall():
            running[kind][metric, node] = Outlook(*outlook)
    return Known(
        night=night,
        nodes=frozenset(row[0] for row in nodes),
        people=_people(log / "user"),
        headcount=read_headcount(log / "headcount"),
        segments=frozenset(row[0] for row in segments),
        kinds=_kinds(log / "activity"),
        months=months,
        quarter=running["quarter"],
        year=running["year"],
    )


def _cells(plan: Plan) -> Iterator[Cell]:
    """What targets and pins are of."""
    for version in resolved(plan):
        yield from ((target.metric, target.node) for target in version.whole.targets)
        yield from ((pin.metric, pin.node) for pin in version.whole.pins)


def _people(log: Path) -> dict[str, Member]:
    rows = _read(
        log,
        """
        select user_id, name, is_active, left_on
        from (
            select *, row_number() over (partition by user_id order by _observed_on desc, _valid_from desc) as place
            from read_parquet(?, union_by_name = true, hive_partitioning = false)
        )
        where place = 1 and _change <> 'deleted'
        """,
    )
    return {user: Member(name, is_active is not False, left_on) for user, name, is_active, left_on in rows}


def _kinds(log: Path) -> frozenset[str]:
    rows = _read(
        log,
        """
        select distinct lower(trim(activity_type))
        from read_parquet(?, union_by_name = true, hive_partitioning = false)
        where activity_type is not null
        """,
    )
    return frozenset(kind for (kind,) in rows)


def _read(log: Path, statement: str) -> list[tuple[Any, ...]]:
    if not any(log.glob("*.parquet")):
        return []
    with duckdb.connect() as connection:
        return connection.execute(statement, [str(log / "*.parquet")]).fetchall()
