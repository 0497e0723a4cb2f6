"""Capacity, seasons, splits and proposals, held by figures worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from flows.config.fiscal import PERIOD_KINDS, FiscalCalendar
from flows.config.plan.metrics import PlanMetric
from flows.config.plan.model import Person, Plan, Proposals, Ramp, Seasonality
from flows.config.plan.versions import resolved
from flows.errors import ConfigError
from flows.planning.allocation.allocate import Setting, allocate
from flows.planning.allocation.capacity import WorkingDays, capacities, days_along, person_month
from flows.planning.allocation.history import History, history_of
from flows.planning.allocation.people import people_of, ramps_of
from flows.planning.allocation.proposals import propose
from flows.planning.allocation.seasonality import PastYear, season
from flows.planning.allocation.statements import Faults, stated_targets
from flows.planning.show import period_of
from flows.warehouse.calendar import working_day_calendar

FISCAL = FiscalCalendar()
FIRST = date(2026, 1, 1)
# Monday to Friday, no holidays: 22 working days in January 2026, 20 in February, 22 in March.
DAYS = WorkingDays.of(FIRST, ((FIRST + timedelta(days=number)).weekday() < 5 for number in range(365)))
MONTHS = FISCAL.periods(2026, "month")
MONEY = PlanMetric("bookings", "money")


def test_capacity_is_quota_times_ramp_times_active_share_times_days() -> None:
    """Hired on 2 March (a Monday), left on 15 May: 22 of 22 days in March (the 1st is a Sunday), 11 of 21 in May.

    March is the first month of tenure (0.25), May the third (0.75): 0.8 × 0.25 × 0.9 × 22/22 = 0.18;
    0.8 × 0.75 × 0.9 × 11/21 = 0.282857…
    """
    ramp = Ramp(id="new", shares=(Decimal("0.25"), Decimal("0.5"), Decimal("0.75")))
    person = Person.model_validate(
        {"user_id": "a", "hired_on": "2026-03-02", "left_on": "2026-05-15", "ramp": "new", "quota": "0.8",
         "active_share": "0.9", "potential": "1.5"}
    )  # fmt: skip
    found = capacities([person], {"new": ramp}, MONTHS, FISCAL, {}, DAYS)
    assert found.capacity[0].round(6).tolist() == [0, 0, 0.18, 0.36, 0.282857, 0, 0, 0, 0, 0, 0, 0]
    may = person_month(person, ramp, MONTHS[4], FISCAL, DAYS)
    assert (may.tenure_month, may.days_counted, may.working_days) == (3, 11, 21)
    assert may.capacity == pytest.approx(found.capacity[0, 4])


def test_the_same_people_weigh_the_same_however_their_figures_are_written() -> None:
    people = [
        Person.model_validate({"user_id": "a", "quota": "0.50", "potential": "1.2"}),
        Person.model_validate({"user_id": "b", "quota": "1.2", "potential": "0.5"}),
        Person.model_validate({"user_id": "c", "quota": "60%"}),
    ]
    weight = capacities(people, {}, MONTHS, FISCAL, {}, DAYS).weight
    assert weight[:, 0].tolist() == [1, 1, 1]


def test_a_season_of_history_is_the_mean_of_the_years_shares() -> None:
    """Year one: 10 % in January, 90 % in December; year two, ten times as large: 30 % and 70 %. Mean 20 %, 80 %."""
    past = [PastYear(2024, (10, *[0] * 10, 90)), PastYear(2025, (300, *[0] * 10, 700))]
    found = season(Seasonality(), past, [20] * 12)
    assert (found.weights[0], found.weights[11], found.years) == (Fraction(1, 5), Fraction(4, 5), (2024, 2025))
    assert season(Seasonality(years=1), past, [20] * 12).weights[0] == Fraction(3, 10)
    blend = Seasonality(by="blend", weights=(Decimal(1),) * 12, history_share=Decimal("0.25"))
    # A quarter of 20 %, three quarters of a twelfth: 0.05 + 0.0625.
    assert season(blend, past, [20] * 12).weights[0] == Fraction(9, 80)


def test_quarters_are_spread_by_working_days_and_no_history_says_so() -> None:
    days = [10, 20, 30, *[20] * 9]
    quarters = Seasonality(by="given", weights=(Decimal(2), Decimal(1), Decimal(1), Decimal(0)))
    found = season(quarters, [], days).weights
    assert found[:3] == (Fraction(1, 12), Fraction(1, 6), Fraction(1, 4))
    assert sum(found) == 1
    assert not any(found[9:])
    unknown = season(Seasonality(), [PastYear(2025, (0,) * 12)], days)
    assert (unknown.by, unknown.fell_back, unknown.weights[0]) == ("working_days", True, Fraction(1, 24))


def test_growth_trend_and_capacity_are_shown_and_blended() -> None:
    """Growth: 1,300 × 1.1 = 1,430; trend 1,450; blend of 1 : 3 = 1,445.

    Theil–Sen of 1,000, 1,200, 1,300: slopes 200, 100, 150, of which 150 is the median; brought to 2025 at that slope,
    the years stand at 1,300, 1,350, 1,300, of which 1,300 is the median, so 1,450 in 2026.
    """
    asked = Proposals.model_validate(
        {"growth": "10%", "trend": True, "capacity": True, "blend": {"growth": 1, "trend": 3}}
    )
    years = [(2023, 1000), (2024, 1200), (2025, 1300)]
    found = propose(asked, 2026, years, None, Fraction(900))
    assert (found.growth, found.trend, found.capacity, found.blend) == (1430, 1450, 900, 1445)
    # The year before is not over: growth is on the last twelve full months, and says so.
    later = propose(asked, 2027, years, 1400, None)
    assert later.growth == 1540 and later.growth_from is not None and "last 12 full months" in later.growth_from[1]
    assert set(later.missing or ()) == {"capacity"}
    assert propose(asked, 2026, years[:1], None, None).blend is None


def daily(rows: list[tuple[str, str, date, int]]) -> pl.DataFrame:
    schema = ["metric", "node_key", "happened_on", "hundredths"]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        n=pl.lit(1), denominator_hundredths=pl.lit(None, dtype=pl.Int64)
    )


def version_of(text: dict[str, object]) -> Plan:
    stated = {"id": "v1", "effective_on": FIRST, "decided_by": "a", "reason": "b", **text}
    return Plan.model_validate({"year": 2026, "versions": [stated]})


def test_history_decides_season_and_split_where_it_is_asked() -> None:
    """2025: a sold 300 in March and b 100 in April. 75 % of the year falls on March, and a has three quarters of it.

    The last year is full: it was seen from its first month on (1 in January, by somebody who is gone by now).
    """
    rows = [("bookings", "rep:z", date(2025, 1, 5), 0)]
    rows += [("bookings", "rep:a", date(2025, 3, 5), 30000), ("bookings", "rep:b", date(2025, 4, 5), 10000)]
    history = history_of(daily(rows), date(2026, 1, 10), FISCAL, {"rep:a": "company", "rep:b": "company"})
    plan = version_of(
        {
            "split": "history",
            "people": [{"user_id": "a"}, {"user_id": "b"}, {"user_id": "c"}],
            "targets": [{"metric": "bookings", "base": 1000}],
        }
    )
    [version] = resolved(plan)
    found = allocate(version, version.whole.people, Setting(FISCAL, "CNY", history, DAYS), None, "v1")
    march = found.targets.filter(pl.col("period_kind") == "month", pl.col("period_start_on") == date(2026, 3, 1))
    assert dict(march.select("node_key", "base_hundredths").iter_rows()) == {
        "company": 75000,
        "rep:a": 56250,
        "rep:b": 18750,
        "rep:c": 0,
    }
    assert found.seasons["bookings", "company"].years == (2025,)


def test_a_target_in_another_currency_is_converted_at_the_budget_rate_and_a_missing_one_is_refused() -> None:
    stated = {"targets": [{"metric": "bookings", "base": 1000, "currency": "USD", "stretch_ratio": "1.1"}]}
    [version] = resolved(version_of({**stated, "budget_rates": {"USD": "7.1234"}}))
    [found] = stated_targets(version, MONEY, "CNY", {}, Faults("v1", []))
    assert (found.base, found.stretch) == (712340, 783574)
    [version] = resolved(version_of(stated))
    faults = Faults("plans/2026.yaml: versions.v1", [])
    assert stated_targets(version, MONEY, "CNY", {}, faults) == []
    assert "how many CNY one USD is" in faults.found[0]


def test_people_of_the_staffing_sheet_ramp_in_equal_steps_and_the_plan_may_say_otherwise() -> None:
    sheet = [
        Person(user_id="a", region="N", hired_on=date(2026, 1, 5), ramp="headcount:3"),
        Person(user_id="b", region="N"),
    ]
    [version] = resolved(
        version_of({"people_from": "headcount", "people": [{"user_id": "b", "region": "S"}], "targets": []})
    )
    people = people_of(version, sheet)
    assert [(person.user_id, person.region) for person in people] == [("a", "N"), ("b", "S")]
    assert [str(share) for share in ramps_of(version, people)["headcount:3"].shares] == ["0.2500", "0.5000", "0.7500"]


def test_a_blend_without_results_is_refused_with_what_is_missing() -> None:
    [version] = resolved(
        version_of({"targets": [{"metric": "margin", "proposals": {"growth": "5%", "blend": {"growth": 1}}}]})
    )
    with pytest.raises(ConfigError, match="no twelve full months of results"):
        allocate(version, (), Setting(FISCAL, "CNY", History(FIRST), DAYS), None, "v1")


def test_people_of_a_region_are_counted_by_its_own_working_days() -> None:
    """4-4-5: P3 of FY26, 1 March to 4 April, has 25 working days in China, 24 in Germany (Good Friday, 3 April).

    All were hired on 16 March: 15 of 25 days remain by China's calendar, 14 of 24 by Germany's. bob stands in a team of
    the region that works by it, dora by herself.
    """
    weeks = FiscalCalendar(1, "4-4-5")
    first, last = date(2026, 1, 4), date(2027, 1, 2)
    china, germany = (
        WorkingDays.of(first, working_day_calendar(first, last, country)["is_working_day"]) for country in ("CN", "DE")
    )
    people = [
        Person.model_validate({"user_id": key, "region": region, "team": team, "hired_on": "2026-03-16"})
        for key, region, team in (
            ("ann", "华东", None),
            ("bob", "海外", "A"),
            ("cai", "华东", "B"),
            ("dora", "华东", "B"),
        )
    ]
    node_days = {"region:海外": germany, "rep:dora": germany}
    found = capacities(people, {}, weeks.periods(2026, "month"), weeks, node_days, china)
    assert found.capacity[:, 2].tolist() == pytest.approx([15 / 25, 14 / 24, 15 / 25, 14 / 24])
    assert found.weight[0, 2] * 14 * 25 == found.weight[1, 2] * 15 * 24
    assert days_along(["team:海外/A", "region:海外", "company"], node_days, china) is germany
    assert days_along(["company"], node_days, china) is china


def test_a_season_by_working_days_is_that_of_the_node() -> None:
    """A target of 海外 without a history is spread by Germany's working days: 24 in P3, where China has 25."""
    weeks = FiscalCalendar(1, "4-4-5")
    first, last = date(2026, 1, 4), date(2027, 1, 2)
    china, germany = (working_day_calendar(first, last, country)["is_working_day"] for country in ("CN", "DE"))
    plan = Plan.model_validate(
        {
            "year": 2026,
            "versions": [
                {
                    "id": "v1", "effective_on": "2026-01-04", "decided_on": "2026-01-04", "decided_by": "Chen",
                    "reason": "plan", "seasonality": {"by": "working_days"},
                    "targets": [{"metric": "bookings", "node": "region:海外", "base": sum(germany)}],
                    "people": [{"user_id": "bob", "region": "海外"}],
                }
            ],
        }
    )  # fmt: skip
    (version,) = resolved(plan)
    days = {"region:海外": WorkingDays.of(first, germany)}
    setting = Setting(weeks, "CNY", History(first), WorkingDays.of(first, china), days)
    rows = allocate(version, version.whole.people, setting, None, "v1").targets.filter(
        pl.col("period_kind") == "month", pl.col("node_key") == "region:海外"
    )
    months = dict(rows.select("period_start_on", "base_hundredths").iter_rows())
    assert (months[date(2026, 2, 1)], months[date(2026, 3, 1)]) == (20_00, 24_00)


@pytest.mark.parametrize(("share", "months", "is_told"), [(300, [100] * 3 + [0] * 9, False), (1200, [100] * 12, True)])
def test_a_season_of_a_part_holds_where_the_whole_leaves_room_and_is_told_where_it_does_not(
    share: int, months: list[int], is_told: bool
) -> None:
    """100 a month in all. North asks for its year in the first quarter: 300 fit beside South's, 1,200 do not."""
    early = {"by": "given", "weights": [1, 0, 0, 0]}
    stated = version_of(
        {
            "seasonality": {"by": "flat"},
            "people": [{"user_id": "n", "region": "North"}, {"user_id": "s", "region": "South"}],
            "targets": [
                {"metric": "bookings", "base": 1200},
                {"metric": "bookings", "node": "region:North", "base": share, "seasonality": early},
            ],
        }
    )  # fmt: skip
    [version] = resolved(stated)
    even = WorkingDays.of(FIRST, ((FIRST + timedelta(days=number)).day <= 20 for number in range(365)))
    found = allocate(version, version.whole.people, Setting(FISCAL, "CNY", History(FIRST), even), None, "plan")
    north = found.targets.filter(node_key="region:North", period_kind="month").sort("period_start_on")
    assert north["base_hundredths"].to_list() == [100 * month for month in months]
    assert any("at region:North: its own seasonality does not fit" in note for note in found.notes) is is_told


def test_a_year_whose_adjusted_days_nobody_has_announced_is_told() -> None:
    stated = version_of({"people": [{"user_id": "n"}], "targets": [{"metric": "bookings", "base": 1200}]})
    [version] = resolved(stated)
    unannounced = frozenset({("CN", 2026), ("CN", 2027)})
    setting = Setting(FISCAL, "CNY", History(FIRST), DAYS, unannounced=unannounced)
    told = allocate(version, version.whole.people, setting, None, "plan").notes
    [note] = [note for note in told if "not announced" in note]
    assert note.startswith("v1: the adjusted days of 2026 in CN are not announced yet")


def test_periods_of_weeks_are_shown_by_their_number() -> None:
    weeks = FiscalCalendar(1, "4-4-5")
    named = {weeks.label(period) for kind in PERIOD_KINDS for period in weeks.periods(2026, kind)}
    assert {"FY26", "FY26 H2", "FY26 Q4", "FY26 P3", "FY26 P12"} <= named
    assert period_of(weeks, 2026, "P3") == period_of(weeks, 2026, "M03")
    assert FISCAL.label(MONTHS[2]) == "M03"
    with pytest.raises(ConfigError, match="year, H1, Q3, M07 or P7; found '2026-03'"):
        period_of(weeks, 2026, "2026-03")
