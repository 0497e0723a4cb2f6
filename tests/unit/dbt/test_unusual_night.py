"""A night after a rep has left a team empty, a closing date was mistyped, a stage renamed, and others are none of ours.

It is built, with every cent in place, of a company whose deals are worth 100 billion each, as in rupiah or dong.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.warehouse.inputs import STAGE_NAME
from tests.dbt_fixture import failures, query, run_dbt, stage_rows, write_build
from tests.unit.dbt import conftest
from tests.unit.dbt.conftest import RATES, change

FIRST, SECOND = date(2024, 3, 15), date(2024, 3, 31)
WORTH = Decimal(100 * 10**9)


def deal(*what: Any, **more: Any) -> dict[str, Any]:
    """A deal of 100 billion."""
    return conftest.deal(*what, **more) | {"amount": WORTH}


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
    # A proposal was called an offer when it was first seen.
    deal("renamed", "ann", "offer", date(2024, 3, 6), **LATER),
    deal("renamed", "ann", "proposal", date(2024, 3, 6), _change="changed", **LATER | {"_valid_from": SECOND}),
    deal("won before", "ann", "won", date(2024, 2, 1), closed_on=date(2024, 3, 1), **LATER),
    deal("won before", "ann", "Archive", date(2024, 2, 1), _change="changed", **LATER | {"_valid_from": SECOND}),
]
HISTORY = [
    change("told", date(2024, 3, 4), "qualification"),
    change("told", date(2024, 3, 10), "proposal"),
]
CONTRACTS = [
    {"contract_id": "k", "opportunity_id": "won", "owner_id": "ann", "amount": WORTH, "cost": WORTH * 3 / 4}
    | {"signed_on": date(2024, 3, 12)},
]
PAYMENTS = [
    {"payment_id": "in", "contract_id": "k", "amount": WORTH / 4, "due_on": FIRST, "paid_on": FIRST},
    {"payment_id": "due", "contract_id": "k", "amount": WORTH * 3 / 4, "due_on": FIRST},
]
TARGETS = [
    {"plan_version": "2024", "metric": "bookings", "period_kind": "month", "period_start_on": date(2024, 3, 1)}
    | {"node_kind": kind, "node_name": name, "base": 4 * WORTH}
    for kind, name in (("company", "示例科技有限公司"), ("rep", "ann"))
]
BUDGET = {"initiative_id": "i", "action": "a", "lead_source": "官网", "budget": 2 * WORTH, "due_on": FIRST}
LEADS = [{"lead_id": "l", "source": "官网", "owner_id": "ann", "created_on": FIRST, "opportunity_id": "won"}]
LINE = {"method": "m", "metric": "bookings", "period_kind": "month", "period_start_on": date(2024, 3, 1), "n_open": 0}


def forecast(node_key: str, closed: Decimal) -> dict:
    """A line of the forecast with nothing open."""
    money = {"closed_amount": closed, "expected_amount": closed}
    nothing = {"open_amount": Decimal(0), "open_weighted_amount": Decimal(0)}
    return LINE | money | nothing | {"node_key": node_key, "as_of_date": SECOND, "run_id": "20240331-01"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole project built, with its data tests."""
    # What Ann won in team One stays there.
    nodes = {"company": WORTH, "region:West": WORTH, "team:West/One": WORTH, "rep:ann": WORTH}
    nodes |= {"team:West/Two": Decimal(0)}
    stage_names = [*stage_rows(), {**stage_rows()[1], "stage": "offer"}]
    stage_names = [{name: row[name] for name in STAGE_NAME} for row in stage_names]
    log = {"user": USERS, "opportunity": DEALS, "opportunity_history": HISTORY, "fx_rate": RATES}
    log |= {"contract": CONTRACTS, "payment": PAYMENTS, "target": TARGETS, "initiative": [BUDGET], "lead": LEADS}
    folder = write_build(
        tmp_path_factory.mktemp("build"),
        as_of=SECOND,
        log=log,
        inputs={"forecast": [forecast(key, closed) for key, closed in nodes.items()], "stage_name": stage_names},
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
    # 100 billion dollars at 7.2.
    deals = query(
        build, "select opportunity_id, amount, closed_on from marts.fct_opportunity where is_closed order by 1"
    )
    assert deals == [
        ("mistyped", WORTH * 72 / 10, date(2062, 3, 12)),
        ("won", WORTH, date(2024, 3, 12)),
    ]
    assert query(build, "select booking_id from marts.fct_booking") == [("won",)]


def test_a_stage_that_is_not_configured_is_open_and_weighs_nothing_and_a_renamed_one_is_the_same(build: Path) -> None:
    tonight = query(
        build,
        "select stage, stage_no, open_count, open_amount, weighted_amount from marts.mart_pipeline_daily"
        " where node_key = 'company' and day = as_of_date order by stage_no",
    )
    # Four in (unknown); two in proposal, one that came back from it, at 3 of 10: no deal has closed from there.
    assert tonight == [
        ("(unknown)", 0, 4, 4 * WORTH, Decimal(0)),
        ("proposal", 2, 2, 2 * WORTH, WORTH * 6 / 10),
    ]
    stays = query(
        build,
        "select opportunity_id, stage, entered_on, left_on, entry_kind, outcome from marts.fct_stage_spell"
        " order by opportunity_id, spell_no",
    )
    assert stays == [
        ("moved from it", "proposal", SECOND, None, "begun", "open"),
        ("moved to it", "proposal", date(2024, 3, 2), SECOND, "begun", "unknown"),
        ("renamed", "proposal", date(2024, 3, 6), None, "begun", "open"),
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
        ("renamed", "proposal", 2, date(2024, 3, 6), "proposal"),
        ("told", "Zorp", None, SECOND, None),
        ("won before", "Archive", None, SECOND, None),
    ]


def test_amounts_of_a_company_that_counts_in_billions_are_exact(build: Path) -> None:
    attainment = query(
        build,
        "select node_key, actual, gap, attainment from marts.mart_target_attainment where metric = 'bookings'"
        " and period_kind = 'month' and period_start_on = '2024-03-01' and node_key in ('company', 'rep:ann')"
        " order by node_key",
    )
    # One of four was booked.
    assert attainment == [("company", WORTH, 3 * WORTH, 0.25), ("rep:ann", WORTH, 3 * WORTH, 0.25)]
    assert query(build, "select margin, due_original, paid_original from marts.mart_contract") == [
        (WORTH / 4, WORTH, WORTH / 4)
    ]
    # Created and won this year: one in the reporting currency, one in dollars; six more stand open.
    waterfall = query(
        build,
        "select start_amount, created_amount, won_amount, end_amount from marts.mart_pipeline_waterfall"
        " where node_key = 'company' and scope = 'all' and period_kind = 'year' and period_start_on = '2024-01-01'",
    )
    assert waterfall == [(0, WORTH * 142 / 10, WORTH * 82 / 10, 6 * WORTH)]
    assert query(build, "select max(cost_per_lead) from marts.mart_lead_funnel") == [(2 * WORTH,)]
