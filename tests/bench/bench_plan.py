"""How long a plan of 5,000 reps takes: ``python -m tests.bench.bench_plan [REPS]``.

Six metrics, twelve months, company, regions, teams and reps, quarters, halves and years; a second version in July
carries the first half. Beside it a bare polars group-by that only adds up the same rows, level by level.
"""

import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Plan
from flows.config.plan.versions import resolved
from flows.planning.allocation.allocate import Setting, allocate
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.history import History
from flows.warehouse.calendar import working_day_calendar

YEAR = 2026
METRICS = ("bookings", "margin", "cash_collected", "won_count", "new_customers", "activities")
REPS_A_TEAM, TEAMS_A_REGION = 10, 25
Timed = tuple[float, float, Any]


def plan_of(reps: int) -> Plan:
    """A company of so many reps; each seventh is new, each eleventh leaves, every third team has a cell set by hand."""
    people = []
    for number in range(reps):
        team = number // REPS_A_TEAM
        person: dict[str, Any] = {
            "user_id": f"u{number:05}",
            "region": f"R{team // TEAMS_A_REGION:02}",
            "team": f"T{team:03}",
            "active_share": "0.9",
            "potential": str(1 + number % 4 / 8),
        }
        if number % 7 == 0:
            person |= {"hired_on": date(YEAR, 1 + number % 12, 15), "ramp": "new"}
        if number % 11 == 0:
            person["left_on"] = date(YEAR, 12, 20)
        people.append(person)
    pins = [
        {"metric": "bookings", "node": f"rep:u{number:05}", "period": "Q3", "base": 40_000, "reason": "key account"}
        for number in range(1, reps, 3 * REPS_A_TEAM)
    ]
    first = {
        "id": "v1",
        "effective_on": date(YEAR, 1, 1),
        "decided_by": "a",
        "reason": "annual",
        "people": people,
        "ramps": [{"id": "new", "shares": ["0.25", "0.5", "0.75"]}],
        "seasonality": {"by": "working_days"},
        "targets": [{"metric": metric, "base": 150_000 * reps, "stretch_ratio": "1.1"} for metric in METRICS],
        "pins": pins,
    }
    second = {
        "id": "v2",
        "effective_on": date(YEAR, 7, 1),
        "decided_by": "a",
        "reason": "revision",
        "targets": [{"metric": "bookings", "base": 160_000 * reps}],
    }
    return Plan.model_validate({"year": YEAR, "versions": [first, second]})


def timed(work: Callable[[], Any]) -> Timed:
    """Seconds of the clock and of the processor, and what came out."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - clock, time.process_time() - processor, found


def main(reps: int) -> None:
    """Print both, and the ratio."""
    calendar = working_day_calendar(date(YEAR, 1, 1), date(YEAR, 12, 31), "CN")
    days = WorkingDays.of(date(YEAR, 1, 1), calendar["is_working_day"])
    setting = Setting(FiscalCalendar(), "CNY", History(date(YEAR, 1, 1)), days)
    plan = plan_of(reps)

    def allocated() -> list[pl.DataFrame]:
        found: list[pl.DataFrame] = []
        for version in resolved(plan):
            before = found[-1] if found else None
            found.append(allocate(version, version.whole.people, setting, before, version.id).targets)
        return found

    seconds, processor, frames = timed(allocated)
    months = frames[0].filter(pl.col("period_kind") == "month")
    leaves = months.filter(pl.col("node_key").str.starts_with("rep:"))
    parents = months.select("node_key", "parent_node_key").unique()

    def bare() -> int:
        level, rows = leaves, 0
        while level.height:
            by_quarter = level.group_by("metric", "node_key", pl.col("period_start_on").dt.quarter()).agg(
                pl.col("base_hundredths").sum(), pl.col("stretch_hundredths").sum()
            )
            rows += level.height + by_quarter.height
            level = (
                level.drop("parent_node_key")
                .join(parents, on="node_key")
                .filter(pl.col("parent_node_key").is_not_null())
                .group_by("metric", "period_start_on", node_key="parent_node_key")
                .agg(pl.col("base_hundredths").sum(), pl.col("stretch_hundredths").sum())
                .with_columns(parent_node_key=pl.lit(None, dtype=pl.String))
            )
        return rows

    bare_seconds, _, _ = timed(bare)
    rows = sum(frame.height for frame in frames)
    print(f"{reps} reps, {len(METRICS)} metrics, 2 versions: {rows:,} cells in {seconds:.1f} s ({processor:.1f} CPU-s)")
    print(f"bare polars group-by of one version's leaves: {bare_seconds:.2f} s; ratio {seconds / bare_seconds:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
