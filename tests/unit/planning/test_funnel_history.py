"""What the funnel says of itself: cohorts, only mature ones, at the node and those above, with n and median days."""

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from flows.config.plan.model import FunnelStep
from flows.planning.funnel.funnel_history import FunnelHistory, Measured, read_funnel_history

AS_OF = date(2026, 6, 30)
PATH = ["rep:a", "team:E/1", "company"]


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty deals of January 2026, twenty of rep a and ten of rep b, that entered proposal ten days after creation.

    Of rep a's, every other was won 60 days after creation, of rep b's none; and forty of June, too young for anything.
    """
    path = tmp_path_factory.mktemp("marts") / "planloop.duckdb"
    deals, spells = [], []
    for number in range(70):
        rep = "rep:a" if number < 20 else "rep:b"
        created = date(2026, 1, 10) if number < 30 else date(2026, 6, 15)
        won = number < 20 and number % 2 == 0
        closed = created + timedelta(days=60) if won else None
        deals.append((f"d{number}", rep, created, won, closed))
        spells.append((f"d{number}", rep, "prospecting", 1, created, True, False, False))
        spells.append((f"d{number}", rep, "proposal", 3, created + timedelta(days=10), True, False, False))
        # A second stay, and one of which nobody saw the beginning, begin nothing.
        spells.append((f"d{number}", rep, "prospecting", 1, created + timedelta(days=11), False, False, False))
        spells.append((f"x{number}", rep, "prospecting", 1, created, True, True, False))
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_opportunity (opportunity_id varchar, node_key varchar, created_on date, "
            "is_won boolean, closed_on date)"
        )
        connection.executemany("insert into marts.fct_opportunity values (?, ?, ?, ?, ?)", deals)
        connection.execute(
            "create table marts.fct_stage_spell (opportunity_id varchar, node_key varchar, stage varchar, "
            "stage_no integer, entered_on date, is_first_entry boolean, is_entry_assumed boolean, "
            "is_deal_deleted boolean)"
        )
        connection.executemany("insert into marts.fct_stage_spell values (?, ?, ?, ?, ?, ?, ?, ?)", spells)
        connection.execute(
            "create table marts.dim_node as select * from (values ('rep:a', 'team:E/1', true), "
            "('rep:b', 'team:E/1', true), ('team:E/1', 'company', true), ('company', null, true), "
            "('rep:a', 'team:W/9', false)) as nodes (node_key, parent_node_key, is_current)"
        )
        connection.execute(
            "create table marts.dim_stage as select * from (values ('prospecting', 1), ('qualification', 2), "
            "('proposal', 3)) as stages (stage, stage_no)"
        )
        # Ten deals won for 40,000 each but one without an amount: 360,000 over ten.
        connection.execute(
            "create table marts.fct_booking as select 'rep:a' as node_key, date '2026-03-11' as booked_on, "
            "case when n > 0 then 40000.00 end as amount, null::decimal as margin from range(10) as t (n)"
        )
        connection.execute(
            "create table marts.mart_lead_funnel as select * from (values "
            "('month', date '2026-01-01', 'company', 'all', 60, 40, 10, 20, 24), "
            "('month', date '2026-02-01', 'company', 'all', 40, 24, 4, 10, 16), "
            "('month', date '2026-02-01', 'company', 'web', 40, 24, 4, 10, 16), "
            "('quarter', date '2026-01-01', 'company', 'all', 100, 64, 14, 30, 40), "
            "('month', date '2026-06-01', 'company', 'all', 50, 5, null, null, null)) as leads "
            "(period_kind, period_start_on, node_key, source, leads, qualified, converted_30d, converted_60d, "
            "converted_90d)"
        )
        for column in ("quality", "industry", "segment"):
            connection.execute(f"alter table marts.mart_lead_funnel add column {column} varchar default 'all'")
    return path


def read(marts: Path, metric: str, to: str, **figure: str) -> FunnelHistory:
    return read_funnel_history(marts, AS_OF, [FunnelStep.model_validate({"metric": metric, "to": to, **figure})])


def test_a_rate_is_of_mature_cohorts_and_falls_to_the_node_that_has_seen_enough(marts: Path) -> None:
    link = ("entered:proposal", "won_count")
    history = read(marts, *link, rate="history")
    # All who were won took 50 days from the proposal: June's forty are too young, and are not counted as lost.
    assert history.links[link]["rep:a"] == Measured(Fraction(10), 20, 50)
    assert history.links[link]["rep:b"] == Measured(Fraction(0), 10, None)
    assert history.links[link]["company"] == Measured(Fraction(10), 30, 50)
    found = history.per(link, PATH)
    assert found is not None
    assert (found.value, found.node_key, found.n) == (Fraction(1, 2), "rep:a", 20)
    above = history.per(link, ["rep:b", *PATH[1:]])
    assert above is not None
    assert (above.value, above.node_key, above.n) == (Fraction(1, 3), "team:E/1", 30)


def test_a_stage_is_reached_with_any_later_one_and_takes_its_median_of_days(marts: Path) -> None:
    link = ("entered:prospecting", "entered:qualification")
    history = read(marts, *link, rate="history")
    # Nobody was seen in qualification, but all got past it in ten days: June ends too late for that.
    assert history.links[link]["company"] == Measured(Fraction(30), 30, 10)
    days = history.days(link, PATH)
    assert days is not None
    assert days.value == 10


def test_what_a_deal_is_worth_counts_those_without_an_amount(marts: Path) -> None:
    link = ("won_count", "bookings")
    history = read(marts, *link, value="history")
    assert history.links[link]["company"] == Measured(Fraction(360_000), 10, 0)
    assert history.per(link, PATH) is None, "ten are too few to plan by"
    assert FunnelHistory(history.links, min_n=10).per(link, PATH) is not None


def test_leads_become_deals_as_the_lead_funnel_counts_them(marts: Path) -> None:
    link = ("leads", "created_count")
    history = read(marts, *link, rate="history")
    # Months old enough for 90 days: 40 of 100; half of them within 60 days.
    assert history.links[link] == {"company": Measured(Fraction(40), 100, 60)}
    # By way of the 64 that were qualified it is the same: 64 / 100 × 40 / 64.
    first, second = ("leads", "qualified_leads"), ("qualified_leads", "created_count")
    assert read(marts, *first, rate="history").links[first]["company"] == Measured(Fraction(64), 100, None)
    assert read(marts, *second, rate="history").links[second]["company"] == Measured(Fraction(40), 64, None)


def test_what_no_cohort_tells_is_left_to_the_plan(marts: Path) -> None:
    assert read(marts, "activities:demo", "entered:proposal", rate="history").links == {
        ("activities:demo", "entered:proposal"): {}
    }
    assert read(marts, "won_count", "cash_due", value="history").links == {("won_count", "cash_due"): {}}
