"""What is known beside the plan: organisation, people, results, pipeline. Before the first night, nothing is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from flows.config.plan.model import Person
from flows.config.settings import Engine
from flows.history.change_log import night_files
from flows.history.known import last_known
from flows.planning.people import read_headcount
from flows.workspace import Workspace

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


def read_known(workspace: Workspace, marts: Path, engine: Engine) -> Known:
    """Read it from built marts (read-only) and the change log; nothing of it where there are no marts."""
    if not marts.is_file():
        return Known()
    with duckdb.connect(str(marts), read_only=True) as connection:
        night = connection.execute("select max(as_of_date) from marts.dim_stage").fetchall()[0][0]
        columns = {row[0] for row in connection.execute("describe marts.mart_target_attainment").fetchall()}
        nodes = connection.execute("select node_key from marts.dim_node where is_current").fetchall()
        segments = connection.execute(
            "select distinct segment from marts.dim_account where segment is not null"
        ).fetchall()
        months: dict[Cell, dict[date, Decimal]] = {}
        for metric, node, start, actual in connection.execute(
            "select metric, node_key, period_start_on, actual from marts.mart_target_attainment "
            "where period_kind = 'month' and actual is not null"
        ).fetchall():
            months.setdefault((metric, node), {})[start] = actual
        required = "coverage_required" if "coverage_required" in columns else "null"
        running: dict[str, dict[Cell, Outlook]] = {"quarter": {}, "year": {}}
        for kind, metric, node, *outlook in connection.execute(
            f"""
            select period_kind, metric, node_key, period_start_on, target_base, coverage_remaining, {required}, p_hit
            from marts.mart_target_attainment where is_current and period_kind in ('quarter', 'year')
            """  # noqa: S608 (one of two constants)
        ).fetchall():
            running[kind][metric, node] = Outlook(*outlook)
    return Known(
        night=night,
        nodes=frozenset(row[0] for row in nodes),
        people=_people(workspace, night, engine),
        headcount=read_headcount(workspace.history / "headcount"),
        segments=frozenset(row[0] for row in segments),
        kinds=_kinds(workspace, night),
        months=months,
        quarter=running["quarter"],
        year=running["year"],
    )


def _people(workspace: Workspace, night: date, engine: Engine) -> dict[str, Member]:
    rows = last_known(workspace, night + timedelta(days=1), engine=engine)(
        "user", ["user_id", "name", "is_active", "left_on"]
    )
    return {
        row["user_id"]: Member(row["name"], row["is_active"] is not False, row["left_on"])
        for row in rows.iter_rows(named=True)
    }


def _kinds(workspace: Workspace, night: date) -> frozenset[str]:
    files = night_files(workspace, "activity", night, including=True)
    if not files:
        return frozenset()
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select distinct lower(trim(activity_type)) from read_parquet(?, union_by_name = true) "
            "where activity_type is not null",
            [[str(path) for path in files]],
        ).fetchall()
    return frozenset(row[0] for row in rows)
