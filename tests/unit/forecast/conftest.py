"""Features by hand, and a candidate file with the few columns a forecast reads."""

from datetime import date

import duckdb
import polars as pl
import pytest

from flows.config.fiscal import FiscalCalendar
from flows.forecast.features import Features
from flows.warehouse.calendars import fiscal_positions
from flows.workspace import Workspace

AS_OF = date(2026, 5, 15)
NODES = {
    "company": None,
    "region:north": "company",
    "team:north/one": "region:north",
    "rep:ann": "team:north/one",
    "rep:bob": "team:north/one",
    "rep:cy": "company",
    "rep:(unassigned)": "company",
}
DEAL = {
    "opportunity_id": pl.String,
    "node_key": pl.String,
    "amount_cents": pl.Int64,
    "weighted_cents": pl.Int64,
    "forecast_close_on": pl.Date,
}
BOOKING = {"node_key": pl.String, "parent_node_key": pl.String, "booked_on": pl.Date, "amount_cents": pl.Int64}


def days(fiscal: FiscalCalendar) -> pl.DataFrame:
    """Days of a calendar with the first days of their fiscal periods."""
    return fiscal_positions(fiscal, date(2024, 1, 1), date(2028, 12, 31))


def features(deals=(), bookings=(), nodes=None, *, as_of=AS_OF, fiscal=None) -> Features:
    """Features from rows: (id, node, cents, weighted cents, close date) and (node, day, cents[, where it stood])."""
    tree = (nodes or NODES).items()
    placed = [(node, where[0] if where else dict(tree)[node], day, cents) for node, day, cents, *where in bookings]
    return Features(
        as_of,
        "20260515-01",
        days(fiscal or FiscalCalendar()),
        pl.DataFrame(list(deals), schema=DEAL, orient="row"),
        pl.DataFrame(placed, schema=BOOKING, orient="row"),
        pl.DataFrame(list(tree), schema={"node_key": pl.String, "parent_node_key": pl.String}, orient="row"),
    )


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """A workspace whose candidate holds one won deal, two open ones and one of unknown value."""
    workspace = Workspace(tmp_path)
    workspace.prepare()
    workspace.build.mkdir()
    with duckdb.connect(str(workspace.candidate)) as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.fct_opportunity as
            select * from (values
                ('1', 'rep:ann', true, true, 100.10::decimal(18,2), null, date '2026-05-04', date '2026-05-04'),
                ('2', 'rep:ann', false, false, 333.33::decimal(18,2), 111.11::decimal(18,2), date '2026-05-31', null),
                ('3', 'rep:ann', false, false, 10.00::decimal(18,2), 5.00, date '2026-01-31', null),
                ('4', 'rep:bob', false, false, null, null, date '2026-07-01', null)
            ) as deals
                (opportunity_id, node_key, is_closed, is_won, amount, weighted_amount, forecast_close_on, closed_on);
            create table marts.fct_booking as
            select * from (values
                ('rep:ann', date '2026-05-04', 100.10::decimal(18,2)),
                ('rep:ann', date '2026-02-04', 5.05::decimal(18,2)),
                ('rep:ann', date '2025-12-31', 7777.00::decimal(18,2)),
                ('rep:bob', date '2026-05-16', 8888.00::decimal(18,2))
            ) as bookings (node_key, booked_on, amount);
            create table marts.dim_node as
            select * from (values
                ('company', null, true, null),
                ('team:x', 'company', true, date '2026-01-01'),
                ('rep:ann', 'team:x', true, date '2026-01-01'),
                ('rep:bob', 'team:x', true, date '2026-03-01'),
                ('rep:bob', 'company', false, date '2026-01-01')
            ) as nodes (node_key, parent_node_key, is_current, valid_from);
            """
        )
        connection.register("days", days(FiscalCalendar()).to_arrow())
        connection.execute("create table marts.dim_date as select * from days")
    return workspace
