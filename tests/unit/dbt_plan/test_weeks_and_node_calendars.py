"""A company that counts 4-4-5 and has a region with another country's working days, worked out by hand.

Weeks end on Saturday, the year on the one nearest the end of December. FY25 runs from 29 December 2024 to 3 January
2026, its P12 from 23 November 2025; of FY26, P1 is 4 to 31 January, P2 February, P3 1 March to 4 April, P4 begins on
5 April. So a deal for 2 April closes in P3, and one won on 2 January is of last year's P12: by the wall calendar, the
one would be April's and the other of January and this year.

The company works by China's days, the region 海外 by Germany's. P3 has five weeks from Monday to Friday: 25 working
days in China (清明 begins on Saturday, 4 April), 24 in Germany (Good Friday is 3 April). Of both, 15 have passed on
Friday, 20 March.

Deals (ann sells in 华东, bob in 海外); our nights saw them at the ends of 28 February and 20 March:

====  ====  =========  ======================  ==============================================================
deal  who   since      expected                what became of it
====  ====  =========  ======================  ==============================================================
d1    ann   10 Jan     2 Apr, then 10 Apr      open, 100: from P3 pushed to P4, though both are in April
d2    bob   10 Jan     31 Mar, then 3 Apr      open, 200, then 250: within P3, though from March to April
d3    ann   12 Jan     20 Feb                  won on 27 February, 300
d4    bob   15 Jan     15 Mar                  lost on 6 March, 80
d5    ann   1 Dec 25   31 Dec 25               won on 2 January, 40: in FY25 P12
d6    bob   9 Mar      30 Mar                  won on 18 March, 500
====  ====  =========  ======================  ==============================================================
"""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.config.fiscal import FiscalCalendar
from flows.config.loader import CalendarOverrides
from flows.config.settings import WorkCalendar
from flows.warehouse.calendars import NamedCalendar, calendar_table, node_calendar_table
from tests.dbt_fixture import failures, query, run_dbt, write_build

WEEKS = FiscalCalendar(1, "4-4-5")
FIRST_NIGHT, AS_OF = date(2026, 2, 28), date(2026, 3, 20)
P12, P1, P2, P3, P4 = (date(2025, 11, 23), date(2026, 1, 4), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 5))
CALENDARS = (
    NamedCalendar("CN", WorkCalendar(country="CN"), CalendarOverrides()),
    NamedCalendar("DE", WorkCalendar(country="DE"), CalendarOverrides(), ("region:海外",)),
)
USERS = [
    {"user_id": "ann", "name": "安", "role": "rep", "region": "华东", "_valid_from": FIRST_NIGHT},
    {"user_id": "bob", "name": "Bob", "role": "rep", "region": "海外", "_valid_from": FIRST_NIGHT},
]


def deal(key: str, owner: str, created: date, expected: date, amount: int, **more: Any) -> dict[str, Any]:
    """A deal as one of the nights saw it."""
    at = datetime.combine(created, time.min)
    row = {"opportunity_id": key, "owner_id": owner, "created_on": created, "created_at": at, "stage": "qualification"}
    return row | {"expected_close_on": expected, "amount": Decimal(amount), "_valid_from": FIRST_NIGHT} | more


def again(seen: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same deal as the second night saw it."""
    return seen | {"_change": "changed", "_valid_from": AS_OF} | more


D1 = deal("d1", "ann", date(2026, 1, 10), date(2026, 4, 2), 100)
D2 = deal("d2", "bob", date(2026, 1, 10), date(2026, 3, 31), 200)
D4 = deal("d4", "bob", date(2026, 1, 15), date(2026, 3, 15), 80)
DEALS = [
    D1,
    again(D1, expected_close_on=date(2026, 4, 10)),
    D2,
    again(D2, expected_close_on=date(2026, 4, 3), amount=Decimal(250)),
    deal("d3", "ann", date(2026, 1, 12), date(2026, 2, 20), 300, stage="won", closed_on=date(2026, 2, 27)),
    D4,
    again(D4, stage="lost", closed_on=date(2026, 3, 6)),
    deal("d5", "ann", date(2025, 12, 1), date(2025, 12, 31), 40, stage="won", closed_on=date(2026, 1, 2)),
    deal(
        "d6",
        "bob",
        date(2026, 3, 9),
        date(2026, 3, 30),
        500,
        stage="won",
        closed_on=date(2026, 3, 18),
        _valid_from=AS_OF,
    ),
]
TARGETS = [
    {
        "plan_version": "2026",
        "metric": "bookings",
        "period_kind": "month",
        "period_start_on": start,
        "node_kind": "rep",
        "node_name": rep,
        "base": Decimal(1000),
        "currency": "CNY",
        "_valid_from": FIRST_NIGHT,
    }
    for rep, start in (("ann", P3), ("bob", P3), ("bob", P4))
]
STORES = [{"store_id": "s1", "owner_id": "ann", "channel": "KA", "_valid_from": FIRST_NIGHT}]
VISITS = [
    {
        "visit_id": "v1",
        "store_id": "s1",
        "owner_id": "ann",
        "visited_on": date(2026, 1, 2),
        "is_done": True,
        "sku_stocked": 3,
        "_valid_from": FIRST_NIGHT,
    }
]
MARTS = (
    "mart_pipeline_waterfall",
    "mart_pipeline_slippage",
    "mart_velocity",
    "mart_win_rate",
    "mart_target_attainment",
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of the second night."""
    build = tmp_path_factory.mktemp("weeks")
    days = calendar_table(CALENDARS, WEEKS, date(2024, 12, 29), date(2027, 1, 2))
    inputs = {"calendar": days.to_dicts(), "node_calendar": node_calendar_table(CALENDARS).to_dicts()}
    log = {"user": USERS, "opportunity": DEALS, "target": TARGETS, "store": STORES, "store_visit": VISITS}
    write_build(build, as_of=AS_OF, log=log, inputs=inputs, fiscal=WEEKS)
    wanted = [f"+{mart}" for mart in (*MARTS, "int_opportunity_pushes", "int_store_months")]
    assert failures(run_dbt(build, "run", "--select", *wanted)) == []
    return build


def test_a_region_counts_its_own_working_days_of_the_same_weeks(night):
    rows = query(
        night,
        "select node_key, period_end_on, calendar, working_days, working_days_passed, working_days_remaining,"
        " elapsed_share, is_calendar_published from marts.mart_target_attainment"
        f" where metric = 'bookings' and period_kind = 'month' and period_start_on = date '{P3}' order by node_key",
    )
    end = date(2026, 4, 4)
    assert [row[:7] for row in rows if row[0] != "rep:(unassigned)"] == [
        ("company", end, "CN", 25, 15, 10, 0.6),
        ("region:华东", end, "CN", 25, 15, 10, 0.6),
        ("region:海外", end, "DE", 24, 15, 9, 0.625),
        ("rep:ann", end, "CN", 25, 15, 10, 0.6),
        ("rep:bob", end, "DE", 24, 15, 9, 0.625),
    ]
    assert all(row[7] for row in rows)


def test_the_pace_goes_by_the_days_of_the_region(night):
    """500 of 1000 are won: by 15 of 24 days 625 were due, by 15 of 25 it would have been 600. P4 has its target."""
    rows = query(
        night,
        "select node_key, period_start_on, target_base, actual, expected_to_date, pace_index"
        " from marts.mart_target_attainment"
        " where metric = 'bookings' and period_kind = 'month' and node_key in ('rep:bob', 'region:海外')"
        f" and period_start_on in (date '{P3}', date '{P4}') order by node_key, period_start_on",
    )
    paced = (Decimal(1000), Decimal(500), Decimal(625), 0.8)
    assert [row[0:2] for row in rows] == [(node, start) for node in ("region:海外", "rep:bob") for start in (P3, P4)]
    assert [row[2:] for row in rows if row[1] == P3] == [paced, paced]
    assert [row[2:4] for row in rows if row[1] == P4] == [(Decimal(1000), Decimal(0))] * 2


def waterfall(night: Path, scope: str, start: date) -> dict[str, tuple[Decimal, ...]]:
    """Start, created, increase, pushed out, won, lost, end, by node."""
    columns = ("start", "created", "increase", "pushed_out", "won", "lost", "end")
    rows = query(
        night,
        f"select node_key, {', '.join(f'{name}_amount' for name in columns)} from marts.mart_pipeline_waterfall"
        f" where scope = '{scope}' and period_kind = 'month' and period_start_on = date '{start}' order by node_key",
    )
    return {row[0]: tuple(map(int, row[1:])) for row in rows if row[0] in ("company", "region:华东", "region:海外")}


def test_what_closes_in_a_period_of_weeks(night):
    """Of the 380 expected in P3, d1 left for P4 and d4 was lost; d2 rose within it; d6 came and was won."""
    assert waterfall(night, "closing", P3) == {
        "company": (380, 500, 50, 100, 500, 80, 250),
        "region:华东": (100, 0, 0, 100, 0, 0, 0),
        "region:海外": (280, 500, 50, 0, 500, 80, 250),
    }
    assert waterfall(night, "closing", P2) == {
        "company": (300, 0, 0, 0, 300, 0, 0),
        "region:华东": (300, 0, 0, 0, 300, 0, 0),
    }


def test_a_period_begins_where_the_one_before_ended_at_every_node(night):
    assert waterfall(night, "all", P2)["company"] == (680, 0, 0, 0, 300, 0, 380)
    assert waterfall(night, "all", P3)["company"] == (380, 500, 50, 0, 500, 80, 350)
    gaps = query(
        night,
        """
        with cells as (select * from marts.mart_pipeline_waterfall where scope = 'all' and period_kind = 'month'),
        periods as (select distinct period_start_on, period_end_on + 1 as next_start_on from cells),
        nodes as (select distinct node_key from cells)
        select periods.next_start_on, nodes.node_key, earlier.end_amount, later.start_amount
        from periods
        cross join nodes
        left join cells as earlier
            on periods.period_start_on = earlier.period_start_on and nodes.node_key = earlier.node_key
        left join cells as later
            on periods.next_start_on = later.period_start_on and nodes.node_key = later.node_key
        where periods.next_start_on <= (select max(period_start_on) from cells)
        """,
    )
    assert {row[0] for row in gaps} >= {P1, P2, P3}
    assert [row for row in gaps if (row[2] or 0) != (row[3] or 0)] == []


def test_a_push_is_one_into_a_later_period_of_weeks(night):
    rows = query(
        night,
        "select opportunities.opportunity_id, pushes.push_count, pushes.push_days"
        " from scratch.intermediate.int_opportunity_pushes as pushes"
        " inner join basis.int_opportunities as opportunities using (okey)"
        " where opportunities.opportunity_id in ('d1', 'd2') order by 1",
    )
    assert rows == [("d1", 1, 8), ("d2", 0, 3)]


def test_what_was_expected_on_the_fifth_day_of_a_period_and_slipped(night):
    """On 5 March 380 were expected in P3, d1 (for 2 April) among them; of these d1 stands in P4 now."""
    rows = query(
        night,
        "select node_key, fifth_day, starting_amount, slipped_amount, undecided_amount, n, slippage"
        f" from marts.mart_pipeline_slippage where period_kind = 'month' and period_start_on = date '{P3}'"
        " and (node_key = 'company' or node_key like 'region:%') order by node_key",
    )
    fifth = date(2026, 3, 5)
    assert rows == [
        ("company", fifth, 380, 100, 200, 3, 0.263158),
        ("region:华东", fifth, 100, 100, 0, 1, 1.0),
        ("region:海外", fifth, 280, 0, 200, 2, 0.0),
    ]


def test_rates_go_by_the_period_in_which_deals_closed(night):
    rows = query(
        night,
        "select period_kind, period_start_on, period_end_on, won_count, lost_count, win_rate_close_n"
        " from marts.mart_win_rate where node_key = 'company' and segment = 'all' and won_count + lost_count > 0"
        " order by period_start_on, period_end_on",
    )
    assert [row for row in rows if row[0] != "quarter"] == [
        ("year", date(2024, 12, 29), date(2026, 1, 3), 1, 0, 1.0),
        ("month", P12, date(2026, 1, 3), 1, 0, 1.0),
        ("year", P1, date(2027, 1, 2), 2, 1, 0.666667),
        ("month", P2, date(2026, 2, 28), 1, 0, 1.0),
        ("month", P3, date(2026, 4, 4), 1, 1, 0.5),
    ]


def test_velocity_looks_at_the_end_of_the_period(night):
    """On 3 January no deal stood open; on 28 February d1, d2 and d4: 3 × 1 × 300 ÷ the 46 days of d3."""
    rows = query(
        night,
        "select period_start_on, qualified_open_n, median_cycle_days, velocity from marts.mart_velocity"
        f" where node_key = 'company' and segment = 'all' and period_kind = 'month' and period_start_on <= date '{P2}'"
        " order by 1",
    )
    assert rows == [(P12, 0, 32.0, Decimal("0.00")), (P2, 3, 46.0, Decimal("19.57"))]


def test_a_store_is_seen_from_the_period_of_its_first_visit(night):
    rows = query(
        night,
        "select month_start_on, is_last_of_quarter, is_seen, is_carrying from scratch.intermediate.int_store_months"
        " order by 1",
    )
    assert rows == [(start, start in (P12, P3), True, True) for start in (P12, P1, P2, P3)]
