"""F1 by hand, and what holds for any deals and any organisation."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.fiscal import FiscalCalendar
from flows.errors import PermanentError
from flows.forecast.organisation import ancestors
from flows.forecast.stage_win_rate import StageWinRate
from tests.unit.forecast.conftest import AS_OF, NODES, features

WEEKS = FiscalCalendar(2, "4-4-5")
SUMS = ["closed_amount", "open_amount", "open_weighted_amount", "expected_amount", "n_open"]


def amounts(frame: pl.DataFrame, kind: str, start: date, node: str) -> tuple:
    [row] = frame.filter(
        pl.col("period_kind") == kind, pl.col("period_start_on") == start, pl.col("node_key") == node
    ).select(SUMS).rows()  # fmt: skip
    return row


def test_closed_plus_weighted_open_deals_by_period_and_node():
    frame = StageWinRate().forecast(
        features(
            deals=[
                ("1", "rep:ann", 100_000, 25_000, AS_OF),
                ("2", "rep:ann", 50_000, 25_000, date(2026, 6, 1)),
                ("3", "rep:bob", 30_001, 15_001, date(2026, 7, 1)),
                ("4", "rep:(unassigned)", 1_000, 0, AS_OF),
                ("5", "rep:cy", 7, 4, None),
            ],
            bookings=[("rep:ann", date(2026, 5, 4), 10_000), ("rep:bob", date(2026, 2, 3), 500)],
        )
    )
    may, june, second_quarter, year = date(2026, 5, 1), date(2026, 6, 1), date(2026, 4, 1), date(2026, 1, 1)
    assert amounts(frame, "month", may, "rep:ann") == (10_000, 100_000, 25_000, 35_000, 1)
    assert amounts(frame, "month", june, "rep:ann") == (0, 50_000, 25_000, 25_000, 1)
    assert amounts(frame, "quarter", second_quarter, "rep:ann") == (10_000, 150_000, 50_000, 60_000, 2)
    assert amounts(frame, "month", may, "company") == (10_000, 101_000, 25_000, 35_000, 2)
    assert amounts(frame, "year", year, "team:north/one") == (10_500, 180_001, 65_001, 75_501, 3)
    assert amounts(frame, "year", year, "rep:cy") == (0, 0, 0, 0, 0)
    assert frame.select("p10", "p50", "p90").null_count().row(0) == (frame.height,) * 3


def test_what_is_closed_stays_where_its_owner_stood_then():
    booked = [("rep:ann", date(2026, 5, 4), 700, "company"), ("rep:ann", date(2026, 5, 5), 40)]
    frame = StageWinRate().forecast(features(bookings=booked))
    closed = [amounts(frame, "month", date(2026, 5, 1), node)[0] for node in ("rep:ann", "team:north/one", "company")]
    assert closed == [740, 40, 740]


def test_every_node_has_twelve_months_five_quarters_three_halves_and_two_years_once():
    frame = StageWinRate().forecast(features())
    assert frame.height == len(NODES) * (12 + 5 + 3 + 2)
    assert not frame.select("period_kind", "period_start_on", "node_key").is_duplicated().any()


DEALS = st.lists(
    st.tuples(
        st.sampled_from([node for node in NODES if node.startswith("rep")]),
        st.integers(0, 10**12),
        st.integers(0, 10**12),
        st.dates(AS_OF, date(2027, 12, 31)),
    ),
    max_size=30,
)
BOOKINGS = st.lists(
    st.tuples(st.sampled_from(["rep:ann", "rep:cy"]), st.dates(date(2026, 1, 1), AS_OF), st.integers(-(10**9), 10**12)),
    max_size=10,
)


@settings(max_examples=40)
@given(deals=DEALS, bookings=BOOKINGS, fiscal=st.sampled_from([FiscalCalendar(), FiscalCalendar(4), WEEKS]))
def test_children_add_up_to_their_parent_exactly(deals, bookings, fiscal):
    numbered = [(str(number), *deal) for number, deal in enumerate(deals)]
    known = features(numbered, bookings, fiscal=fiscal)
    frame = StageWinRate().forecast(known)
    children = (
        frame.join(known.nodes, on="node_key")
        .filter(pl.col("parent_node_key").is_not_null())
        .group_by("period_kind", "period_start_on", node_key="parent_node_key")
        .agg(pl.col(SUMS).sum())
    )
    both = children.join(frame, on=["period_kind", "period_start_on", "node_key"], suffix="_parent")
    assert both.height == 3 * (frame.height // len(NODES))
    for name in SUMS:
        assert both[name].to_list() == both[f"{name}_parent"].to_list()


@settings(max_examples=20)
@given(deals=DEALS)
def test_months_of_a_quarter_add_up_to_the_quarter(deals):
    numbered = [(str(number), *deal) for number, deal in enumerate(deals)]
    frame = StageWinRate().forecast(features(numbered))
    company = frame.filter(pl.col("node_key") == "company")
    months = company.filter(
        pl.col("period_kind") == "month", pl.col("period_start_on").is_between(date(2026, 7, 1), date(2026, 9, 30))
    )
    assert amounts(frame, "quarter", date(2026, 7, 1), "company") == months.select(pl.col(SUMS).sum()).row(0)


def test_a_circle_of_parents_is_refused():
    circle = pl.DataFrame({"node_key": ["a", "b"], "parent_node_key": ["b", "a"]})
    with pytest.raises(PermanentError, match="a circle of parents at a, b"):
        ancestors(circle)
