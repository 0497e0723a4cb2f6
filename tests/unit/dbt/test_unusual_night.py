"""A night after a rep has left a team empty, a closing date was mistyped and stages are none of ours.

It is built, with every cent in place.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt_fixture import failures, query, run_dbt, write_build
from tests.unit.dbt.conftest import RATES, change, deal

FIRST, SECOND = date(2024, 3, 15), date(2024, 3, 31)
USERS = [
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "West", "team": "One", "_valid_from": FIRST},
    {"user_id": "ann", "name": "Ann", "role": "rep", "region": "West", "team": "Two", "_change": "changed"},
]
LATER = {"expected_close_on": date(2024, 5, 31), "_valid_from": FIRST}
DEALS = [
    deal("won", "ann", "won", date(2024, 2, 1), closed_on=date(2024, 3, 12)),
    deal("mistyped", "ann", "won", date(2024, 2, 1), closed_on=date(2062, 3, 12), currency="USD"),
    # Nobody has configured Zorp and Archive: seen there first, gone there, back from there, told otherwise, won before.
    deal("begun in it", "ann", "Zorp", date(2024, 3, 1), **LATER),
    deal("moved to it", "ann", "proposal", date(2024, 3, 2), **LATER),
    deal("moved to it", "ann", "Zorp", date(2024, 3, 2), _change="changed", **LATER | {"_valid_from": SECOND}),
    deal("moved from it", "ann", "Zorp", date(2024, 3, 3), **LATER),
    deal("moved from it", "ann", "proposal", date(2024, 3, 3), _change="changed", **LATER | {"_valid_from": SECOND}),
    deal("told", "ann", "Zorp", date(2024, 3, 4), **LATER | {"_valid_from": SECOND}),
    deal("won before", "ann", "won", date(2024, 2, 1), closed_on=date(2024, 3, 1), **LATER),
    deal("won before", "ann", "Archive", date(2024, 2, 1), _change="changed", **LATER | {"_valid_from": SECOND}),
]
HISTORY = [
    change("told", date(2024, 3, 4), "qualification"),
    change("told", date(2024, 3, 10), "proposal"),
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
        log={"user": USERS, "opportunity": DEALS, "opportunity_history": HISTORY, "fx_rate": RATES},
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
    deals = query(
        build, "select opportunity_id, amount, closed_on from marts.fct_opportunity where is_closed order by 1"
    )
    assert deals == [
        ("mistyped", Decimal("720.00"), date(2062, 3, 12)),
        ("won", Decimal("100.00"), date(2024, 3, 12)),
    ]
    assert query(build, "select booking_id from marts.fct_booking") == [("won",)]


def test_a_deal_in_a_stage_that_is_not_configured_is_open_and_weighs_nothing(build: Path) -> None:
    tonight = query(
        build,
        "select stage, stage_no, open_count, open_amount, weighted_amount from marts.mart_pipeline_daily"
        " where node_key = 'company' and day = as_of_date order by stage_no",
    )
    # 4 × 100 in (unknown); of proposal the one that came back from it, at 3 of 10: no deal has closed from there.
    assert tonight == [
        ("(unknown)", 0, 4, Decimal("400.00"), Decimal("0.00")),
        ("proposal", 2, 1, Decimal("100.00"), Decimal("30.00")),
    ]
    stays = query(
        build,
        "select opportunity_id, stage, entered_on, left_on, entry_kind, outcome from marts.fct_stage_spell"
        " order by opportunity_id, spell_no",
    )
    assert stays == [
        ("moved from it", "proposal", SECOND, None, "begun", "open"),
        ("moved to it", "proposal", date(2024, 3, 2), SECOND, "begun", "unknown"),
        ("told", "qualification", date(2024, 3, 4), date(2024, 3, 10), "begun", "advanced"),
        ("told", "proposal", date(2024, 3, 10), SECOND, "advanced", "unknown"),
    ]
    deals = query(
        build,
        "select opportunity_id, deals.stage, deals.stage_no, deals.stage_entered_on, health.stage"
        " from marts.fct_opportunity as deals inner join marts.mart_deal_health as health using (opportunity_id)"
        " order by opportunity_id",
    )
    assert deals == [
        ("begun in it", "Zorp", None, date(2024, 3, 1), None),
        ("moved from it", "proposal", 2, SECOND, "proposal"),
        ("moved to it", "Zorp", None, SECOND, None),
        ("told", "Zorp", None, SECOND, None),
        ("won before", "Archive", None, SECOND, None),
    ]
