"""A tiny ``build/`` folder for tests of the dbt project: change log and inputs, written as the night writes them.

``write_build`` fills in what a test leaves out (columns as null, a Monday-to-Friday calendar, five stages),
so that a test states only the rows it is about. ``run_dbt`` builds on it, ``query`` reads the candidate.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.history.accounting import SOURCE_FILE
from flows.history.change_log import LOG_COLUMNS as LOG_COLUMNS
from flows.ingest.payment_terms import INSTALMENTS, PERIODS
from flows.warehouse.calendars import CALENDARS, FISCAL_MONTH, NODE_CALENDAR, fiscal_months, fiscal_positions
from flows.warehouse.inputs import (
    ALERT,
    ALERT_RULE,
    FORECAST,
    HYGIENE_RULE,
    METRIC_MEMBER,
    PACE_RULE,
    PLAN_TARGET,
    PLAN_VERSION,
    RUN,
    SNOOZE,
    STAGE,
    STAGE_NAME,
)
from flows.warehouse.pay_inputs import PAY_INPUTS
from schemas.registry import ENTITIES
from tests.dbt_parsed import PROJECT as PROJECT
from tests.dbt_parsed import invoke, parsed_project

Row = Mapping[str, Any]

MONEY = pl.Decimal(18, 2)

PASSED = ("success", "pass", "skipped", "no-op")
"""States of a node that was built, of a test that passed, and of an exposure, for which there is nothing to do."""

INPUTS: dict[str, dict[str, Any]] = {
    "run": RUN,
    "stage": STAGE,
    "stage_name": STAGE_NAME,
    "calendar": CALENDARS,
    "node_calendar": NODE_CALENDAR,
    "fiscal_month": FISCAL_MONTH,
    "alert_rule": ALERT_RULE,
    "alert": ALERT,
    "source_file": SOURCE_FILE,
    "hygiene_rule": HYGIENE_RULE,
    "snooze": SNOOZE,
    "pace_rule": PACE_RULE,
    "plan_version": PLAN_VERSION,
    "plan_target": PLAN_TARGET,
    **PAY_INPUTS,
    "metric_member": METRIC_MEMBER,
    "forecast": FORECAST,
    "payment_terms": INSTALMENTS,
    "delivery_terms": PERIODS,
}
"""The night's tables with the columns that the night writes them with."""

PACE = [
    {"period_kind": kind, "min_periods": periods, "min_events": 100, "daily_days": 92 if kind == "month" else 0}
    for kind, periods in (("month", 12), ("quarter", 8), ("half", 6), ("year", 3))
]

STAGES = (
    ("qualification", "Qualification", "需求挖掘", False, False, "pipeline", 0.1),
    ("proposal", "Proposal", "方案定制", False, False, "best_case", 0.3),
    ("negotiation", "Negotiation", "商务谈判", False, False, "commit", 0.6),
    ("won", "Won", "合同签订", True, True, "closed", 1.0),
    ("lost", "Lost", "流失", True, False, "omitted", 0.0),
)


def stage_rows() -> list[dict[str, Any]]:
    """Three open stages, won and lost."""
    keys = ("stage", "name_en", "name_zh", "is_closed", "is_won", "forecast_category", "default_win_probability")
    return [dict(zip(keys, stage, strict=True)) | {"stage_no": no} for no, stage in enumerate(STAGES, start=1)]


def hygiene_rows(**stages: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The default thresholds for every stage; what a test wants otherwise, by stage."""
    usual: dict[str, Any] = {"no_touch_working_days": 10, "overdue_days": 0, "lying_signals": 2, "dwell_min_n": 30}
    usual |= {"serial_push_months": 3}
    usual |= {f"needs_{element}": False for element in ("budget", "decision_maker", "need", "timing")}
    return [
        usual | {"stage": stage, **stages.get(stage or "", {})} for stage in (None, *(key for key, *_ in STAGES[:3]))
    ]


def calendar_rows(as_of: date, holidays: Sequence[date] = (), working_weekends: Sequence[date] = ()) -> list[dict]:
    """Monday to Friday but for ``holidays`` and ``working_weekends``, from three years back to the end of next year."""
    first, last = date(as_of.year - 3, 1, 1), date(as_of.year + 1, 12, 31)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    rows = []
    for day in days:
        usual = day.weekday() < 5
        works = (usual and day not in holidays) or day in working_weekends
        rows.append(
            {
                "day": day,
                "is_working_day": works,
                "is_adjusted": works != usual,
                "is_published": True,
                "holiday_name": "holiday" if day in holidays else None,
            }
        )
    return rows


def placed(rows: Sequence[Row], fiscal: FiscalCalendar) -> list[dict[str, Any]]:
    """Days of calendars with their fiscal periods; the company's, where a row does not say which."""
    if not rows:
        return []
    days = [row["day"] for row in rows]
    positions = {row["day"]: row for row in fiscal_positions(fiscal, min(days), max(days)).iter_rows(named=True)}
    return [{"calendar": "company", "is_company": True} | positions[row["day"]] | dict(row) for row in rows]


def frame(rows: Sequence[Row], dtypes: Mapping[str, Any]) -> pl.DataFrame:
    """Rows with the columns of ``dtypes``, missing ones null; an unknown column is a slip of the test."""
    unknown = {name for row in rows for name in row} - set(dtypes)
    if unknown:
        raise KeyError(f"not among the columns {sorted(dtypes)}: {sorted(unknown)}")
    return pl.DataFrame([{name: row.get(name) for name in dtypes} for row in rows], schema=dict(dtypes))


def write_build(
    build: Path,
    *,
    as_of: date,
    log: Mapping[str, Sequence[Row]] | None = None,
    inputs: Mapping[str, Sequence[Row]] | None = None,
    fiscal: FiscalCalendar | None = None,
    **run: Any,
) -> Path:
    """Write ``build/log`` and ``build/inputs``.

    Args:
        build: the folder, made if absent.
        as_of: the as-of date of the night.
        log: change rows by entity; ``_change`` is new and ``_valid_from`` the as-of date where a row does not say.
        inputs: rows of the night's tables by name; run, stage and calendar have defaults, the others are empty.
        fiscal: how years are counted; in calendar months from the run's fiscal_year_start_month unless stated.
        **run: columns of the run table that differ from the default (run_id, reporting_currency, bookings_from, ...).

    Returns:
        The folder.
    """
    unknown = set(log or {}) - set(ENTITIES)
    if unknown:
        raise KeyError(f"no such entity: {sorted(unknown)}")
    for entity, schema in ENTITIES.items():
        folder = build / "log" / entity
        folder.mkdir(parents=True, exist_ok=True)
        dtypes = {**schema.dtypes(), **LOG_COLUMNS}
        frame([], dtypes).write_parquet(folder / "00000000.parquet")
        given = (log or {}).get(entity, ())
        rows = [
            {"_change": "new", "_valid_from": as_of, "_source": "test", "_row": no} | dict(row)
            for no, row in enumerate(given, 2)
        ]
        rows = [{"_observed_on": row["_valid_from"]} | row for row in rows]
        for night in sorted({row["_valid_from"] for row in rows}):
            ours = [row for row in rows if row["_valid_from"] == night]
            frame(ours, dtypes).write_parquet(folder / f"{night.isoformat()}.parquet")
    one_run = {
        "as_of_date": as_of,
        "run_id": f"{as_of:%Y%m%d}-01",
        "company_name": "示例科技有限公司",
        "reporting_currency": "CNY",
        "fiscal_year_start_month": 1,
        "bookings_from": "opportunity",
    } | run
    usual = {
        "run": [one_run],
        "stage": stage_rows(),
        "calendar": calendar_rows(as_of),
        "hygiene_rule": hygiene_rows(),
        "pace_rule": PACE,
    }
    given_inputs = usual | dict(inputs or {})
    named = [{name: stage.get(name) for name in STAGE_NAME} for stage in given_inputs["stage"]]
    given_inputs.setdefault("stage_name", named)
    counted = fiscal or FiscalCalendar(one_run["fiscal_year_start_month"])
    given_inputs["fiscal_month"] = fiscal_months(counted).to_dicts()
    given_inputs["calendar"] = placed(given_inputs["calendar"], counted)
    (build / "inputs").mkdir(parents=True, exist_ok=True)
    for name, dtypes in INPUTS.items():
        frame(given_inputs.get(name, []), dtypes).write_parquet(build / "inputs" / f"{name}.parquet")
    return build


def run_dbt(build: Path, *arguments: str) -> Any:
    """Run a dbt command in this process, its target and logs within ``build``; returns dbt's result.

    Parsing the project costs as much as a small build: it is done once for all runs.
    """
    return invoke(build, build, parsed_project(build), *arguments)


def failures(result: Any) -> list[str]:
    """What went wrong in a dbt run, one line a node; empty when all is well."""
    if result.exception is not None:
        return [str(result.exception)]
    nodes = getattr(result.result, "results", [])
    return [f"{node.node.name}: {node.message}" for node in nodes if str(node.status) not in PASSED]


def without_rows(build: Path, *marts: str) -> list[str]:
    """Those of the marts that have no row: to hold an empty mart against an empty expectation proves nothing."""
    return [mart for mart in marts if query(build, f"select count(*) from marts.{mart}") == [(0,)]]


def query(build: Path, sql: str) -> list[tuple[Any, ...]]:
    """Read the candidate, with the scratch file attached as ``scratch``."""
    with duckdb.connect(str(build / "candidate.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{build / 'scratch.duckdb'}' as scratch (read_only)")
        return connection.execute(sql).fetchall()
