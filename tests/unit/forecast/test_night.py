"""From the candidate file to the table the marts read, and to the ledger."""

from datetime import date
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from flows.errors import PermanentError
from flows.forecast.ledger import append, read_ledger
from flows.forecast.night import forecast_all, forecast_night
from flows.forecast.stage_win_rate import StageWinRate
from flows.warehouse.inputs import FORECAST, Run
from tests.unit.forecast.conftest import AS_OF, features

RUN = Run(AS_OF, "20260515-01", "示例", "CNY", 1, "opportunity")


def test_the_forecast_of_a_candidate_by_hand(workspace):
    frame = forecast_night(workspace, RUN)
    assert dict(frame.schema) == FORECAST
    company = frame.filter(pl.col("node_key") == "company", pl.col("period_kind") == "month")
    may = company.row(0, named=True)
    # The deal that was due in January counts now: 111.11 + 5.00 weighted, on top of 100.10 closed.
    assert may["period_start_on"] == date(2026, 5, 1)
    assert may["closed_amount"] == Decimal("100.10")
    assert may["open_amount"] == Decimal("343.33")
    assert may["open_weighted_amount"] == Decimal("116.11")
    assert may["expected_amount"] == Decimal("216.21")
    assert may["n_open"] == 2
    assert company.row(2, named=True)["n_open"] == 1, "a deal of unknown value is an open deal"
    year = frame.filter(pl.col("node_key") == "company", pl.col("period_kind") == "year").row(0, named=True)
    assert year["closed_amount"] == Decimal("105.15"), "neither last year's bookings nor those after the as-of date"
    assert pl.read_parquet(workspace.build_input("forecast")).equals(frame)


def test_the_candidate_is_left_closed_and_unchanged(workspace):
    before = workspace.candidate.read_bytes()
    forecast_night(workspace, RUN)
    with duckdb.connect(str(workspace.candidate)) as connection:
        assert connection.execute("select count(*) from marts.fct_opportunity").fetchone() == (4,)
    assert workspace.candidate.read_bytes() == before


def test_a_deal_of_a_node_that_nobody_knows_stops_the_forecast(workspace):
    with duckdb.connect(str(workspace.candidate)) as connection:
        connection.execute("delete from marts.dim_node where node_key = 'rep:bob'")
    with pytest.raises(PermanentError, match=r"marts\.fct_opportunity: .*found rep:bob \(1 in all\)"):
        forecast_night(workspace, RUN)


def test_a_method_that_repeats_a_key_is_refused():
    class Twice(StageWinRate):
        def forecast(self, features):
            once = super().forecast(features)
            return pl.concat([once, once])

    with pytest.raises(PermanentError, match="found repeats"):
        forecast_all(features(), [Twice()])


def test_the_ledger_keeps_every_run_and_reads_the_last_of_each_night(workspace):
    first = forecast_night(workspace, RUN)
    path = append(workspace, AS_OF, "20260515-01", first)
    written = path.read_bytes()
    second = first.with_columns(run_id=pl.lit("20260515-02"))
    append(workspace, AS_OF, "20260515-02", second)
    assert path.read_bytes() == written
    assert read_ledger(workspace, until=AS_OF).equals(second)
    assert read_ledger(workspace, until=date(2026, 5, 14)).is_empty()


def test_a_run_in_the_ledger_is_never_rewritten(workspace):
    frame = forecast_night(workspace, RUN)
    append(workspace, AS_OF, RUN.run_id, frame)
    append(workspace, AS_OF, RUN.run_id, frame)
    with pytest.raises(PermanentError, match="never rewritten"):
        append(workspace, AS_OF, RUN.run_id, frame.with_columns(n_open=pl.col("n_open") + 1))
    with pytest.raises(PermanentError, match="expected rows of 2026-05-16"):
        append(workspace, date(2026, 5, 16), RUN.run_id, frame)
