"""The small tables that tonight's build reads beside the change log: run, stages, calendar, rules, alerts, snoozes.

Each is one Parquet file under ``build/inputs`` with the columns stated here, in this order and with these types, also
when it has no rows. The accounting of files (``source_file``) is written by ``flows.history.accounting``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.alerts import AlertRule
from flows.config.settings import Hygiene, Pace, Settings
from flows.config.stages import Stage
from flows.workspace import Workspace
from schemas.opportunity import BUYING_ELEMENTS

Columns = dict[str, pl.DataType]
_MONEY = pl.Decimal(18, 2)

RUN: Columns = {
    "as_of_date": pl.Date(),
    "run_id": pl.String(),
    "company_name": pl.String(),
    "reporting_currency": pl.String(),
    "fiscal_year_start_month": pl.Int32(),
    "bookings_from": pl.String(),
}
STAGE: Columns = {
    "stage": pl.String(),
    "stage_no": pl.Int32(),
    "name_en": pl.String(),
    "name_zh": pl.String(),
    "is_closed": pl.Boolean(),
    "is_won": pl.Boolean(),
    "forecast_category": pl.String(),
    "default_win_probability": pl.Float64(),
}
STAGE_NAME: Columns = {
    "stage": pl.String(),
    "stage_no": pl.Int32(),
    "is_closed": pl.Boolean(),
    "is_won": pl.Boolean(),
}
ALERT_RULE: Columns = {
    "rule_id": pl.String(),
    "metric": pl.String(),
    "kind": pl.String(),
    "period_kind": pl.String(),
    "node_kind": pl.String(),
    "warn_below": pl.Float64(),
    "critical_below": pl.Float64(),
    "clear_above": pl.Float64(),
    "min_elapsed": pl.Float64(),
}
ALERT: Columns = {
    "alert_id": pl.String(),
    "rule_id": pl.String(),
    "metric": pl.String(),
    "node_key": pl.String(),
    "period_kind": pl.String(),
    "period_start_on": pl.Date(),
    "state": pl.String(),
    "severity": pl.String(),
    "opened_on": pl.Date(),
    "updated_on": pl.Date(),
    "resolved_on": pl.Date(),
    "recipients": pl.String(),
    "measured": pl.Float64(),
    "expected": pl.Float64(),
}
HYGIENE_RULE: Columns = {
    "stage": pl.String(),
    "no_touch_working_days": pl.Int32(),
    "max_days": pl.Int32(),
    "overdue_days": pl.Int32(),
    "lying_signals": pl.Int32(),
    "serial_push_months": pl.Int32(),
    "dwell_min_n": pl.Int32(),
    "needs_budget": pl.Boolean(),
    "needs_decision_maker": pl.Boolean(),
    "needs_need": pl.Boolean(),
    "needs_timing": pl.Boolean(),
}
PACE_RULE: Columns = {
    "period_kind": pl.String(),
    "min_periods": pl.Int32(),
    "min_events": pl.Int32(),
    "daily_days": pl.Int32(),
}
SNOOZE: Columns = {
    "opportunity_id": pl.String(),
    "from_on": pl.Date(),
    "until_on": pl.Date(),
    "reason": pl.String(),
    "snoozed_by": pl.String(),
}
PLAN_VERSION: Columns = {
    "plan_version": pl.String(),
    "fiscal_year": pl.Int32(),
    "fiscal_year_start_on": pl.Date(),
    "effective_on": pl.Date(),
    "decided_on": pl.Date(),
    "decided_by": pl.String(),
    "reason": pl.String(),
    "supersedes": pl.String(),
    "flavour": pl.String(),
    "fingerprint": pl.String(),
}
"""One row per version of a plan file that is known on the night."""
PLAN_TARGET: Columns = {
    "plan_version": pl.String(),
    "metric": pl.String(),
    "unit": pl.String(),
    "period_kind": pl.String(),
    "period_start_on": pl.Date(),
    "node_key": pl.String(),
    "parent_node_key": pl.String(),
    "base_hundredths": pl.Int64(),
    "stretch_hundredths": pl.Int64(),
    "derivation": pl.String(),
    "weight": pl.Float64(),
    "capacity": pl.Float64(),
    "rounding_hundredths": pl.Int32(),
}
"""One row per version × metric × period (month, quarter, half, year) × node: the whole plan, nothing left to add up."""
METRIC_MEMBER: Columns = {"metric": pl.String()}
"""Metrics of one stage or one kind of activity that the configuration asks for (``entered:…``, ``activities:…``)."""
FORECAST: Columns = {
    "as_of_date": pl.Date(),
    "run_id": pl.String(),
    "method": pl.String(),
    "metric": pl.String(),
    "period_kind": pl.String(),
    "period_start_on": pl.Date(),
    "node_key": pl.String(),
    "closed_amount": _MONEY,
    "open_amount": _MONEY,
    "open_weighted_amount": _MONEY,
    "expected_amount": _MONEY,
    "p10": _MONEY,
    "p50": _MONEY,
    "p90": _MONEY,
    "n_open": pl.Int64(),
}


@dataclass(frozen=True)
class Run:
    """What the night is about; the one row of the table ``run``, from which every model takes its as-of date."""

    as_of_date: date
    run_id: str
    company_name: str
    reporting_currency: str
    fiscal_year_start_month: int
    bookings_from: str


def run_of(settings: Settings, as_of: date, run_id: str) -> Run:
    """The run that builds the marts of a company for one night."""
    return Run(
        as_of_date=as_of,
        run_id=run_id,
        company_name=settings.company.name,
        reporting_currency=settings.reporting_currency,
        fiscal_year_start_month=settings.fiscal_year_start_month,
        bookings_from=settings.bookings_from,
    )


def write_run(workspace: Workspace, run: Run) -> Path:
    """Write the one row that names the night."""
    return _write(workspace, "run", [vars(run)], RUN)


def write_stages(workspace: Workspace, stages: Iterable[Stage]) -> Path:
    """Write the funnel, and every way in which a stage is written; ``stage_no`` counts in order of the configuration.

    The log holds the keys of its nights: one that was renamed since is found among the aliases. A key is lower case,
    and its stage may be called by it since: names stand in lower case too, which no two stages share.
    """
    stages = tuple(stages)
    rows = [
        {
            "stage": stage.key,
            "stage_no": number,
            "name_en": stage.name_en,
            "name_zh": stage.name_zh,
            "is_closed": stage.closed is not None,
            "is_won": stage.closed == "won",
            "forecast_category": stage.forecast_category,
            "default_win_probability": stage.default_win_probability,
        }
        for number, stage in enumerate(stages, start=1)
    ]
    names = [
        {"stage": name, "stage_no": number, "is_closed": stage.closed is not None, "is_won": stage.closed == "won"}
        for number, stage in enumerate(stages, start=1)
        for name in dict.fromkeys((*stage.spellings, *(spelling.casefold() for spelling in stage.spellings)))
    ]
    _write(workspace, "stage_name", names, STAGE_NAME)
    return _write(workspace, "stage", rows, STAGE)


def write_alert_rules(workspace: Workspace, rules: Iterable[AlertRule]) -> Path:
    """Write one row for each rule and kind of node it holds for."""
    rows = [
        {
            "rule_id": rule.id,
            "metric": rule.metric,
            "kind": rule.kind,
            "period_kind": rule.period_kind,
            "node_kind": node_kind,
            "warn_below": rule.warn_below,
            "critical_below": rule.critical_below,
            "clear_above": rule.clear_above,
            "min_elapsed": rule.min_elapsed,
        }
        for rule in rules
        for node_kind in rule.node_kinds
    ]
    return _write(workspace, "alert_rule", rows, ALERT_RULE)


def write_alerts(workspace: Workspace, alerts: Iterable[Mapping[str, Any]]) -> Path:
    """Write the lifecycle of alerts as it stood when the night began; each mapping has the columns of ``ALERT``."""
    return _write(workspace, "alert", sorted(alerts, key=lambda alert: alert["alert_id"]), ALERT)


def write_hygiene_rules(workspace: Workspace, hygiene: Hygiene, stages: Iterable[Stage]) -> Path:
    """Write what is expected of a deal in each open stage; the row without a stage is for any other."""
    rows = [{"stage": None, **_hygiene(hygiene, None)}]
    rows += [{"stage": stage.key, **_hygiene(hygiene, stage)} for stage in stages if not stage.closed]
    return _write(workspace, "hygiene_rule", rows, HYGIENE_RULE)


def _hygiene(hygiene: Hygiene, stage: Stage | None) -> dict[str, object]:
    own = stage.no_touch_working_days if stage else None
    return {
        **hygiene.model_dump(),
        "no_touch_working_days": own or hygiene.no_touch_working_days,
        "max_days": stage.max_days if stage else None,
        **{f"needs_{element}": bool(stage and element in stage.needs) for element in BUYING_ELEMENTS},
    }


def write_pace_rules(workspace: Workspace, pace: Pace) -> Path:
    """Write how much history a pace curve needs and how far back it is shown, one row a kind of period."""
    shown = pace.daily_days.model_dump()
    rows = [
        {"period_kind": kind, "min_periods": periods, "min_events": pace.min_events, "daily_days": shown[kind]}
        for kind, periods in pace.min_periods.model_dump().items()
    ]
    return _write(workspace, "pace_rule", rows, PACE_RULE)


def write_snoozes(workspace: Workspace, snoozes: Iterable[Mapping[str, Any]]) -> Path:
    """Write the snoozes that hold on the night, at most one a deal; each mapping has the columns of ``SNOOZE``."""
    return _write(workspace, "snooze", sorted(snoozes, key=lambda snooze: snooze["opportunity_id"]), SNOOZE)


def write_empty_forecast(workspace: Workspace) -> Path:
    """Write the forecast without rows: the first phase of the build comes before tonight's forecast."""
    return write_input(workspace, "forecast", pl.DataFrame(schema=FORECAST))


def write_empty_plan(workspace: Workspace) -> None:
    """Write the plan without rows: the first phase of the build comes before the plan is allocated."""
    write_input(workspace, "plan_version", pl.DataFrame(schema=PLAN_VERSION))
    write_input(workspace, "plan_target", pl.DataFrame(schema=PLAN_TARGET))


def write_metric_members(workspace: Workspace, members: Iterable[str]) -> Path:
    """Write the stages and kinds of activities that are metrics of their own tonight."""
    return _write(workspace, "metric_member", [{"metric": member} for member in sorted(members)], METRIC_MEMBER)


def write_input(workspace: Workspace, name: str, frame: pl.DataFrame) -> Path:
    """Write one input table, whole or not at all."""
    path = workspace.build_input(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    frame.write_parquet(temporary)
    return temporary.replace(path)


def first_business_date(workspace: Workspace) -> date | None:
    """The earliest business date (``*_on``) in ``build/log``."""
    return _logged(workspace, "*", "%\\_on", "min(try_cast(stats_min_value as date))")


def last_planned_date(workspace: Workspace) -> date | None:
    """The first day of the last period that a source states a target for."""
    return _logged(workspace, "target", "period\\_start\\_on", "max(try_cast(stats_max_value as date))")


def _logged(workspace: Workspace, entity: str, columns: str, measured: str) -> date | None:
    """An extreme of columns of ``build/log``, by Parquet's statistics: nothing is scanned."""
    import duckdb

    files = sorted(workspace.build.glob(f"log/{entity}/*.parquet"))
    if not files:
        return None
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {measured} from parquet_metadata(?) "  # noqa: S608 (this module's own words)
            "where path_in_schema like ? escape '\\' and path_in_schema <> '_valid_from'",
            [[str(file) for file in files], columns],
        ).fetchone()
    return found[0] if found else None


def _write(workspace: Workspace, name: str, rows: Iterable[Mapping[str, Any]], schema: Columns) -> Path:
    return write_input(workspace, name, pl.DataFrame(list(rows), schema=schema, orient="row"))
