"""A night after a rep has left a team empty and a closing date was mistyped: it is built, with every cent in place."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt_fixture import failures, query, run_dbt, write_build
from tests.unit.dbt.conftest import RATES, deal

FIRST, SECOND = date(2024, 3, 15), date(2024, 3, 31)
USERS = [
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "West", "team": "One", "_valid_from": FIRST},
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "West", "team": "Two", "_change": "changed"},
]
DEALS = [
    deal("won", "ann", "won", date(2024, 2, 1), closed_on=date(2024, 3, 12)),
    deal("mistyped", "ann", "won", date(2024, 2, 1), closed_on=date(2062, 3, 12), currency="USD"),
]
LINE = {"method": "m", "metric": "bookings", "period_kind": "month", "period_start_on": date(2024, 3, 1), "n_open": 0}


def forecast(node_key: str, closed: int) -> dict:
    """A line of the forecast with nothing open."""
    money = {"closed_amount": Decimal(closed), "expected_amount": Decimal(closed)}
    nothing = {"open_amount": Decimal(0), "open_weighted_amount": Decimal(0)}
    return LINE | money | nothing | {"node_key": node_key, "as_of_date": SECOND, "run_id": "20240331-01"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole project built, with its data tests."""
    # What Ann won in team One stays there.
    nodes = {"company": 100, "region:West": 100, "team:West/One": 100, "team:West/Two": 0, "rep:ann": 100}
    folder = write_build(
        tmp_path_factory.mktemp("build"),
        as_of=SECOND,
        log={"user": USERS, "opportunity": DEALS, "fx_rate": RATES},
        inputs={"forecast": [forecast(key, closed) for key, closed in nodes.items()]},
    )
    result = run_dbt(folder, "build", "--exclude-resource-type", "unit_test")
    assert failures(result) == []
    return folder


def test_an_empty_team_stays_in_the_organisation_and_stops_no_night(build: Path) -> None:
    rows = query(
        build,
        "select node_key, path, valid_from, valid_to, is_current from marts.dim_node"
        " where node_key = 'rep:ann' or node_kind = 'team' order by node_key, valid_from",
    )
    company = "示例科技有限公司 / West"
    assert rows == [
        ("rep:ann", f"{company} / One / Ann", FIRST, date(2024, 3, 30), False),
        ("rep:ann", f"{company} / Two / Ann", SECOND, None, True),
        ("team:West/One", f"{company} / One", FIRST, date(2024, 3, 30), True),
        ("team:West/Two", f"{company} / Two", SECOND, None, True),
    ]


def test_a_closing_date_to_come_is_converted_at_tonights_rate_and_not_yet_booked(build: Path) -> None:
    # 100 dollars at 7.2.
    deals = query(build, "select opportunity_id, amount, closed_on from marts.fct_opportunity order by opportunity_id")
    assert deals == [
        ("mistyped", Decimal("720.00"), date(2062, 3, 12)),
        ("won", Decimal("100.00"), date(2024, 3, 12)),
    ]
    assert query(build, "select booking_id from marts.fct_booking") == [("won",)]
