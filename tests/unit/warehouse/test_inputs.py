"""The small input tables have exactly the columns, types and rows that the models read."""

from datetime import date, datetime

import polars as pl
import pytest

from flows.config.alerts import AlertRule
from flows.config.fiscal import FiscalCalendar
from flows.config.loader import CalendarOverrides
from flows.config.settings import Hygiene, WorkCalendar
from flows.config.stages import Stage
from flows.history.change_log import empty_log
from flows.warehouse import inputs
from flows.warehouse.calendars import NamedCalendar, write_calendars
from flows.workspace import Workspace

AS_OF = date(2026, 3, 2)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path)


def test_run_is_one_row(workspace):
    path = inputs.write_run(workspace, inputs.Run(AS_OF, "20260302-01", "示例", "CNY", 4, "contract"))
    frame = pl.read_parquet(path)
    assert path == workspace.build_input("run")
    assert dict(frame.schema) == inputs.RUN
    assert frame.rows() == [(AS_OF, "20260302-01", "示例", "CNY", 4, "contract")]


def test_stages_are_numbered_in_funnel_order(workspace):
    stages = [
        Stage(key="qualify", name_en="Qualify", name_zh="需求挖掘", default_win_probability=0.2),
        Stage(key="won", name_en="Won", name_zh="成交", closed="won", forecast_category="closed"),
        Stage(key="lost", name_en="Lost", name_zh="流失", closed="lost", forecast_category="omitted"),
    ]
    frame = pl.read_parquet(inputs.write_stages(workspace, stages))
    assert dict(frame.schema) == inputs.STAGE
    assert frame.select("stage", "stage_no", "is_closed", "is_won", "default_win_probability").rows() == [
        ("qualify", 1, False, False, 0.2),
        ("won", 2, True, True, None),
        ("lost", 3, True, False, None),
    ]


def test_a_stage_is_known_by_every_way_of_writing_it(workspace):
    stages = [
        Stage(key="qualify", name_en="Qualify", name_zh="需求挖掘"),
        Stage(key="closed_won", name_en="Won", name_zh="Won", aliases=("won",), closed="won"),
    ]
    inputs.write_stages(workspace, stages)
    frame = pl.read_parquet(workspace.build_input("stage_name"))
    assert dict(frame.schema) == inputs.STAGE_NAME
    assert frame.rows() == [
        *((name, 1, False, False) for name in ("qualify", "Qualify", "需求挖掘")),
        *((name, 2, True, True) for name in ("closed_won", "Won", "won")),
    ]


def test_a_stage_is_known_by_the_key_that_it_still_has_as_its_name(workspace):
    inputs.write_stages(workspace, [Stage(key="offer", name_en="Proposal", name_zh="报价", aliases=("PITCH",))])
    frame = pl.read_parquet(workspace.build_input("stage_name"))
    assert sorted(frame["stage"]) == ["PITCH", "Proposal", "offer", "pitch", "proposal", "报价"]


def test_an_alert_rule_is_written_once_for_each_kind_of_node(workspace):
    rule = AlertRule(id="pace", metric="bookings", kind="pace_below", period_kind="month", node_kinds=("team", "rep"))
    frame = pl.read_parquet(inputs.write_alert_rules(workspace, [rule]))
    assert dict(frame.schema) == inputs.ALERT_RULE
    assert frame.select("rule_id", "node_kind", "warn_below").rows() == [("pace", "team", 0.9), ("pace", "rep", 0.9)]


def test_tables_without_rows_keep_their_columns(workspace):
    for path, schema in (
        (inputs.write_alerts(workspace, []), inputs.ALERT),
        (inputs.write_alert_rules(workspace, []), inputs.ALERT_RULE),
        (inputs.write_empty_forecast(workspace), inputs.FORECAST),
    ):
        frame = pl.read_parquet(path)
        assert dict(frame.schema) == schema
        assert frame.is_empty()


def test_alerts_are_written_in_the_order_of_their_ids(workspace):
    common = {"rule_id": "pace", "metric": "bookings", "node_key": "company", "period_kind": "month", "state": "open"}
    alerts = [{**common, "alert_id": name, "period_start_on": AS_OF, "opened_on": AS_OF} for name in ("b", "a")]
    frame = pl.read_parquet(inputs.write_alerts(workspace, alerts))
    assert frame["alert_id"].to_list() == ["a", "b"]
    assert frame["resolved_on"].to_list() == [None, None]


def log_with(workspace: Workspace, entity: str, **values) -> None:
    row = empty_log(entity).clear(1).with_columns(pl.lit(value).alias(name) for name, value in values.items())
    folder = workspace.build_log(entity)
    folder.mkdir(parents=True)
    empty_log(entity).write_parquet(folder / "00000000.parquet")
    row.write_parquet(folder / f"{AS_OF}.parquet")


def calendar_of(country: str, workspace: Workspace) -> pl.DataFrame:
    named = NamedCalendar(country, WorkCalendar(country=country), CalendarOverrides())
    return pl.read_parquet(write_calendars(workspace, AS_OF, (named,), FiscalCalendar())[0])


def test_the_calendar_begins_with_the_year_of_the_first_business_date_in_the_log(workspace):
    log_with(workspace, "contract", signed_on=date(2018, 7, 1), _valid_from=AS_OF)
    log_with(workspace, "opportunity", created_on=date(2020, 7, 1), created_at=datetime(1999, 1, 1), _valid_from=AS_OF)
    assert inputs.first_business_date(workspace) == date(2018, 7, 1)
    frame = calendar_of("CN", workspace)
    assert (frame["day"].min(), frame["day"].max()) == (date(2018, 1, 1), date(2027, 12, 31))


def test_the_calendar_reaches_to_the_last_period_that_a_target_is_stated_for(workspace):
    log_with(workspace, "target", period_start_on=date(2029, 4, 1), _valid_from=AS_OF)
    assert calendar_of("CN", workspace)["day"].max() == date(2029, 12, 31)


def test_a_log_without_dates_gives_three_years(workspace):
    log_with(workspace, "contact", contact_id="a", _valid_from=date(2001, 1, 1))
    assert inputs.first_business_date(workspace) is None
    assert calendar_of("DE", workspace)["day"].min() == date(2023, 1, 1)


def test_each_open_stage_says_what_is_expected_of_a_deal_and_others_fall_under_the_company(workspace):
    usual = {"name_en": "x", "name_zh": "x"}
    stages = (
        Stage(key="first", **usual),
        Stage(key="second", no_touch_working_days=3, max_days=45, needs=("timing", "budget"), **usual),
        Stage(key="won", closed="won", **usual),
    )
    hygiene = Hygiene(no_touch_working_days=8, lying_signals=1, serial_push_months=4)
    path = inputs.write_hygiene_rules(workspace, hygiene, stages)
    rules = {row.pop("stage"): row for row in pl.read_parquet(path).to_dicts()}
    assert set(rules) == {None, "first", "second"}
    assert rules[None] == rules["first"]
    second = rules["second"]
    assert [(rule["no_touch_working_days"], rule["max_days"]) for rule in rules.values()] == [
        (8, None),
        (8, None),
        (3, 45),
    ]
    assert (second["lying_signals"], second["overdue_days"], second["dwell_min_n"]) == (1, 0, 30)
    assert second["serial_push_months"] == 4
    needs = [second[f"needs_{element}"] for element in ("budget", "decision_maker", "need", "timing")]
    assert needs == [True, False, False, True]
