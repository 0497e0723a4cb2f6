"""Activity targets: backwards through the funnel, earlier by the days it takes, whole, and adding up at every level."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.plan import PlanVersion
from flows.errors import ConfigError
from flows.planning.funnel.activity_targets import ActivityTargets, activity_targets
from flows.planning.funnel.funnel_history import FunnelHistory, Measured
from flows.warehouse.inputs import PLAN_TARGET
from tests.unit.planning.funnel_plan import FISCAL, TREE, WEEKDAYS, cells, units, versions

DEALS = {"metric": "won_count", "to": "bookings", "value": 5000, "lead_days": 0}
PROPOSALS = {"metric": "entered:proposal", "to": "won_count", "rate": "0.5", "lead_days": 31}
LEADS = {"metric": "leads", "to": "entered:proposal", "rate": "0.1", "lead_days": 0}
ONLY_MARCH = [0, 0, 110_000, *[0] * 9]
ONLY_JANUARY = [110_000, *[0] * 11]


def derived(
    version: PlanVersion,
    allocated: pl.DataFrame,
    history: FunnelHistory | None = None,
    before: pl.DataFrame | None = None,
) -> ActivityTargets:
    return activity_targets(version, allocated, history or FunnelHistory(), FISCAL, WEEKDAYS, before)


def test_a_month_of_results_asks_for_its_steps_in_the_months_before() -> None:
    # 110,000 / 5,000 = 22 deals in March, one for each of its 22 working days; 44 proposals, 31 days earlier. 2, 3 and
    # 4 March lie on 30 January, 31 January (a Saturday: Friday the 30th) and 1 February (a Sunday: the 30th as well):
    # 3/22 of 44 = 6 in January, the other 38 in February; ten leads for each.
    (version,) = versions({"funnel": [LEADS, PROPOSALS, DEALS]})
    rows = derived(version, cells({"rep:a": ONLY_MARCH})).rows
    assert units(rows, "won_count", "rep:a") == [0, 0, 22, *[0] * 9]
    assert units(rows, "entered:proposal", "rep:a") == [6, 38, *[0] * 10]
    assert units(rows, "leads", "rep:a") == [60, 380, *[0] * 10]
    assert units(rows, "leads", "company", "quarter") == [440, 0, 0, 0]
    assert rows.columns == list(PLAN_TARGET)


def test_what_had_to_be_done_before_the_year_is_asked_for_at_its_end_for_the_next() -> None:
    # January's days lie 31 days earlier in December.
    (version,) = versions({"funnel": [DEALS, PROPOSALS]})
    rows = derived(version, cells({"rep:a": ONLY_JANUARY})).rows
    assert units(rows, "entered:proposal", "rep:a") == [*[0] * 11, 44]


def test_parts_of_a_unit_are_rounded_up_over_the_year_and_not_in_each_month() -> None:
    # 1,500 / 5,000 = 0.3 deals a month: 0.3, 0.6, 0.9, 1.2 … 3.6. Rounded up each by itself it would be twelve.
    (version,) = versions({"funnel": [DEALS]})
    rows = derived(version, cells({"rep:a": [1_500] * 12})).rows
    assert units(rows, "won_count", "rep:a") == [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]
    assert units(rows, "won_count", "rep:a", "year") == [4]
    first = rows.filter(node_key="rep:a", period_kind="month").sort("period_start_on")["rounding_hundredths"]
    assert first.to_list()[:4] == [70, -30, -30, 70]
    assert rows.filter(node_key="company", period_kind="year")["rounding_hundredths"].item() == 40


def test_a_metric_with_a_target_of_its_own_keeps_it_and_the_steps_before_follow_it() -> None:
    (version,) = versions({"funnel": [DEALS, {**PROPOSALS, "lead_days": 0}]})
    own = cells({"rep:a": [3] * 12}, metric="won_count")
    rows = derived(version, pl.concat([cells({"rep:a": ONLY_MARCH}), own])).rows
    assert rows["metric"].unique().to_list() == ["entered:proposal"]
    assert units(rows, "entered:proposal", "rep:a") == [6] * 12


def test_a_metric_that_serves_two_is_needed_for_both() -> None:
    calls = [
        {"metric": "activities:call", "to": "won_count", "rate": "0.5", "lead_days": 0},
        {"metric": "activities:call", "to": "leads", "rate": "0.25", "lead_days": 0},
    ]
    (version,) = versions({"funnel": calls})
    stated = [cells({"rep:a": [3] * 12}, metric="won_count"), cells({"rep:a": [2] * 12}, metric="leads")]
    assert units(derived(version, pl.concat(stated)).rows, "activities:call", "rep:a") == [6 + 8] * 12


def test_thin_history_is_read_at_the_node_above_and_says_so() -> None:
    link = ("won_count", "bookings")
    figures = {
        "rep:a": Measured(Fraction(90_000), 3, 0),
        "team:E/1": Measured(Fraction(10_000 * 25), 25, 0),
        "rep:c": Measured(Fraction(20_000 * 40), 40, 0),
    }
    (version,) = versions({"funnel": [{"metric": "won_count", "to": "bookings", "value": "history"}]})
    found = derived(version, cells({"rep:a": [20_000] * 12, "rep:c": [20_000] * 12}), FunnelHistory({link: figures}))
    assert units(found.rows, "won_count", "rep:a") == [2] * 12
    assert units(found.rows, "won_count", "rep:c") == [1] * 12
    assert {used.node_key: (used.per.node_key, used.per.n) for used in found.used} == {
        "rep:a": ("team:E/1", 25),
        "rep:c": ("rep:c", 40),
    }


def test_history_too_thin_everywhere_derives_nothing_and_names_the_step() -> None:
    link = ("won_count", "bookings")
    history = FunnelHistory({link: {"company": Measured(Fraction(90_000), 19, 0)}})
    (version,) = versions({"funnel": [{"metric": "won_count", "to": "bookings", "value": "history"}, PROPOSALS]})
    found = derived(version, cells({"rep:a": [20_000] * 12}), history)
    assert found.rows.is_empty()
    assert [(step.metric, step.nodes, step.n) for step in found.unknown] == [
        ("won_count", ("rep:a",), 19),
        ("entered:proposal", (), 0),
    ]


def test_who_is_not_there_yet_begins_with_what_should_have_been_done_before() -> None:
    # Counts from March on: what lies in January and February falls on March.
    (version,) = versions({"funnel": [DEALS, PROPOSALS]})
    absent = {"rep:a": [0.0, 0.0, *[1.0] * 10]}
    rows = derived(version, cells({"rep:a": ONLY_MARCH}, capacity=absent)).rows
    assert units(rows, "entered:proposal", "rep:a") == [0, 0, 44, *[0] * 9]


def test_who_leaves_works_for_no_year_after() -> None:
    # January's proposals belong to last December; nobody who left in May makes them in the coming one.
    (version,) = versions({"funnel": [DEALS, PROPOSALS]})
    absent = {"rep:a": [*[1.0] * 5, *[0.0] * 7]}
    rows = derived(version, cells({"rep:a": ONLY_JANUARY}, capacity=absent)).rows
    assert units(rows, "entered:proposal", "rep:a") == [0] * 12


def test_a_revision_keeps_the_months_before_it_and_its_first_month_catches_up() -> None:
    # March is raised from 110,000 to 220,000 as of February: of 88 proposals 12 would lie in January, where 6 were
    # asked for. They stay, and the 6 that are missing fall on February: 76 + 6.
    first, second = versions(
        {"funnel": [DEALS, PROPOSALS]}, {"effective_on": "2026-02-01", "targets": [{"metric": "bookings", "base": 1}]}
    )
    old_cells = cells({"rep:a": ONLY_MARCH})
    old = pl.concat([old_cells, derived(first, old_cells).rows])
    new_cells = cells({"rep:a": [2 * amount for amount in ONLY_MARCH]})
    rows = derived(second, new_cells, before=old).rows
    assert units(rows, "entered:proposal", "rep:a") == [6, 82, *[0] * 10]
    assert units(rows, "entered:proposal", "company", "quarter")[0] == 88
    january = rows.filter(metric="entered:proposal", period_kind="month").filter(
        pl.col("period_start_on").dt.month() == 1
    )
    assert january["derivation"].unique().to_list() == ["carried"]
    assert rows["plan_version"].unique().to_list() == ["v2"]


def test_steps_in_a_circle_are_refused_by_name() -> None:
    (version,) = versions({"funnel": [
        {"metric": "leads", "to": "qualified_leads", "rate": "0.5"},
        {"metric": "qualified_leads", "to": "leads", "rate": "0.5"},
    ]})  # fmt: skip
    with pytest.raises(ConfigError, match="circle: .*leads"):
        derived(version, cells({"rep:a": [3] * 12}))


AMOUNTS = st.lists(st.integers(0, 300_000), min_size=12, max_size=12)


@settings(max_examples=12, deadline=None)
@given(
    base=st.dictionaries(st.sampled_from(["rep:a", "rep:b", "rep:c"]), AMOUNTS, min_size=1),
    extra=st.integers(0, 90_000),
    rate=st.decimals("0.02", 1, places=2),
    days=st.integers(0, 400),
    shuffled=st.randoms(use_true_random=False),
)
def test_every_level_adds_up_and_nobody_is_asked_for_too_little(base, extra, rate, days, shuffled) -> None:  # type: ignore[no-untyped-def]
    steps = [DEALS, {"metric": "entered:proposal", "to": "won_count", "rate": rate, "lead_days": days}]
    stretch = {leaf: [amount + extra for amount in amounts] for leaf, amounts in base.items()}
    allocated = cells(base, stretch=stretch)
    (version,) = versions({"funnel": steps})
    rows = derived(version, allocated).rows

    again = allocated.sample(fraction=1, shuffle=True, seed=shuffled.randint(0, 99))
    (reversed_version,) = versions({"funnel": steps[::-1]})
    key = ["metric", "period_kind", "period_start_on", "node_key"]
    assert rows.sort(key).equals(derived(reversed_version, again).rows.sort(key))

    assert (rows["stretch_hundredths"] >= rows["base_hundredths"]).all()
    assert (rows["base_hundredths"] % 100 == 0).all()
    for column in ("base_hundredths", "stretch_hundredths", "rounding_hundredths"):
        for parent in ("team:E/1", "team:E/2", "region:E", "company"):
            children = rows.filter(parent_node_key=parent).group_by(key[:3]).agg(pl.col(column).sum())
            own = rows.filter(node_key=parent).select(*key[:3], column)
            assert children.sort(key[:3]).equals(own.sort(key[:3]))
        per_kind = rows.group_by("metric", "node_key", "period_kind").agg(pl.col(column).sum())
        assert per_kind.group_by("metric", "node_key").agg(pl.col(column).n_unique())[column].max() == 1
    for leaf, amounts in base.items():
        needed, asked = Fraction(0), 0
        for amount, unit in zip(amounts, units(rows, "won_count", leaf), strict=True):
            needed, asked = needed + Fraction(amount, 5000), asked + unit
            assert needed <= asked < needed + 1
        proposals = units(rows, "entered:proposal", leaf, "year")[0]
        assert 0 <= proposals - Fraction(sum(amounts), 5000) / Fraction(rate) < 1
    assert set(rows["node_key"]) == {node for leaf in base for node in (leaf, TREE[leaf], "region:E", "company")}
