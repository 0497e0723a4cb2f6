"""A published file made from the contracts of the dbt models, with a small company in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.report.page import AuditOutcome, RunFacts, StageOutcome
from tests.mart_contracts import create_marts

AS_OF = date(2026, 11, 20)
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with all marts as their contracts state them, empty."""
    path = tmp_path_factory.mktemp("empty") / "planloop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("begin")
        create_marts(connection)
        connection.execute("commit")
    return path


@pytest.fixture(scope="session")
def inserting() -> Callable[[Path], AbstractContextManager[Callable[..., None]]]:
    """Open a file for inserting rows into its marts; columns that a row does not state are null."""

    @contextmanager
    def open_file(path: Path) -> Iterator[Callable[..., None]]:
        with duckdb.connect(str(path)) as connection:

            def insert(table: str, **values: Any) -> None:
                values = {"as_of_date": AS_OF, "run_id": "20261120-01", **values}
                names, marks = ", ".join(values), ", ".join("?" for _ in values)
                connection.execute(f"insert into marts.{table} ({names}) values ({marks})", list(values.values()))

            connection.execute("begin")
            yield insert
            connection.execute("commit")

    return open_file


@pytest.fixture(scope="session")
def company(marts: Path, inserting: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nodes behind and ahead of plan, five stages, a forecast, one quarantined row, one refused file."""
    path = shutil.copy(marts, tmp_path_factory.mktemp("company"))
    with inserting(path) as insert:
        _fill(insert)
    return Path(path)


def _fill(insert: Callable[..., None]) -> None:
    nodes = [
        ("company", "company", "示例科技", "示例科技", 0, "7854545.45", "4375272.73", 0.78),
        ("region:华东", "region", "华东", "示例科技 / 华东", 1, "4000000.00", "3100000.00", 1.085),
        ("rep:u9", "rep", HOSTILE, "示例科技 / 华东 / x", 3, "1000000.00", "300000.00", 0.42),
        ("rep:u8", "rep", "李雷", "示例科技 / 华东 / y", 3, None, "120000.00", None),
    ]
    periods = [("month", date(2026, 11, 1)), ("quarter", date(2026, 10, 1)), ("year", date(2026, 1, 1))]
    for key, kind, name, path, level, target, actual, pace in nodes:
        insert("dim_node", node_key=key, node_kind=kind, name=name, path=path, level=level, is_current=True)
        for period_kind, start in periods:
            insert(
                "mart_target_attainment",
                metric="bookings",
                period_kind=period_kind,
                period_start_on=start,
                node_key=key,
                is_current=True,
                is_calendar_published=True,
                target_is_complete=True if target else None,
                target_base=target,
                actual=actual,
                attainment=float(Decimal(actual) / Decimal(target)) if target else None,
                gap=Decimal(target) - Decimal(actual) if target else None,
                elapsed_share=0.714286,
                pace_index=pace,
                required_run_rate="579878.79" if target else None,
                working_days_remaining=6,
                forecast_expected="6900000.00",
                coverage_remaining=2.4,
                previous_as_of_date=date(2026, 11, 19) if pace else None,
                actual_previous="100000.00" if pace else None,
                pace_index_previous=0.7 if pace else None,
                trend=("up" if pace > 0.71 else "down") if pace else None,
            )
    insert(
        "mart_deviation",
        metric="bookings",
        period_kind="month",
        period_start_on=date(2026, 11, 1),
        node_key="rep:u9",
        node_name=HOSTILE,
        node_kind="rep",
        owner_name=HOSTILE,
        severity="critical",
        measured=0.42,
        target_base="1000000.00",
        actual="300000.00",
        gap_to_expected="414286.00",
        required_run_rate="116666.67",
        working_days_remaining=6,
    )
    stages = ["客户开发", "需求挖掘", "方案定制", "商务谈判", "合同签订"]
    for number, name in enumerate(stages, 1):
        stage = f"s{number}"
        insert(
            "dim_stage",
            stage=stage,
            stage_no=number,
            name_zh=name,
            name_en=f"Stage {number}",
            is_closed=False,
            win_probability=number / 6,
            win_probability_n=400 - 50 * number,
        )
        for deal in range(60 // number):
            insert(
                "fct_opportunity",
                opportunity_id=f"{stage}-{deal}",
                stage=stage,
                is_closed=False,
                is_won=False,
                amount=None if deal == 0 else 50000 * number,
                weighted_amount=None if deal == 0 else 10000 * number,
            )
    insert("fct_opportunity", opportunity_id="w", stage="won", is_closed=True, is_won=True, amount="10005534.00")
    insert(
        "mart_forecast",
        method="stage_win_rate",
        metric="bookings",
        period_kind="month",
        period_start_on=date(2026, 11, 1),
        period_end_on=date(2026, 11, 30),
        node_key="company",
        is_published=True,
        closed_amount="4375272.73",
        open_amount="9000000.00",
        open_weighted_amount="2524727.27",
        open_deals=81,
        forecast_expected="6900000.00",
    )
    counts = {"rows_merged": 0, "rows_new": 20, "rows_changed": 30, "rows_deleted": 0}
    insert(
        "mart_data_quality",
        is_tonight=True,
        night_on=AS_OF,
        source="crm_opportunities",
        file=f"crm/{HOSTILE}.csv",
        entity="opportunity",
        status="accepted",
        rows_in=8800,
        rows_accepted=8798,
        rows_quarantined=2,
        freshest_on=AS_OF,
        unknown_columns='["Notes", "备注"]',
        hours_old=72,
        fresh_within_hours=24,
        is_stale=True,
        rows_set_aside=7,
        drift_en="new column: 'Notes'",
        drift_zh="新增的列：“Notes”",
        **counts,
    )
    insert(
        "mart_data_quality",
        is_tonight=True,
        night_on=AS_OF,
        source="crm_leads",
        file="crm/leads.csv",
        entity="lead",
        status="refused",
        message="expected 1,000 rows or more, found 10",
        rows_in=0,
        rows_accepted=0,
        rows_quarantined=0,
        **counts,
    )


@pytest.fixture
def run() -> RunFacts:
    """What the night says of itself."""
    return RunFacts(
        run_id="20261120-01",
        as_of=AS_OF,
        company="示例科技有限公司",
        company_en="Example Tech",
        currency="CNY",
        language="zh",
        stages=[StageOutcome("land", 1.234, "12 files"), StageOutcome("build", 9.0)],
        audit=[AuditOutcome("rows of fct_opportunity", True, "8,800 ± 30 %", "8,800"), AuditOutcome("x", False)],
        alerts={"opened": 2, "sent": 1},
        data_docs="data_docs/index.html",
    )
