"""The SMART check: a good plan passes; each planted bad statement gets its verdict, at its letter, with its numbers."""

import copy
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.config.fiscal import FiscalCalendar
from flows.config.plan import Plan
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.check.feeds import Feeds
from flows.planning.check.known import Known, Member, Outlook
from flows.planning.check.smart import Company, check_plan
from flows.planning.check.verdicts import LETTERS, Judged, Report
from flows.planning.check.wording import records, texts

TODAY = date(2026, 1, 15)
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
COMPANY = Company(
    Feeds(
        {
            "opportunity": frozenset({"opportunity_id", "stage", "amount", "account_id"}),
            "activity": frozenset({"activity_id"}),
            "payment": frozenset({"amount", "due_on"}),
            "contract": frozenset({"amount", "signed_on"}),
        },
        bookings_from="opportunity",
        stages=("prospecting", "proposal", "won", "lost"),
        is_channel=False,
    ),
    FiscalCalendar(),
    "CNY",
    WorkingDays.of(DAYS[0], [day.weekday() < 5 for day in DAYS]),
)
# 850,000 in each month of 2025: 10,200,000.
KNOWN = Known(
    night=date(2026, 1, 14),
    nodes=frozenset({"company", "region:华东", "team:华东/一部", *(f"rep:u{n}" for n in range(1, 11))}),
    people={
        **{f"u{n}": Member(f"人{n}", is_active=True, left_on=None) for n in range(1, 11)},
        "u90": Member("钱", is_active=False, left_on=date(2025, 11, 30)),
        "u91": Member("孙", is_active=True, left_on=date(2026, 5, 31)),
        "u92": Member("李", is_active=False, left_on=None),
    },
    segments=frozenset({"大型企业", "中小企业"}),
    kinds=frozenset({"call", "demo"}),
    months={
        ("bookings", node): {date(2025, month, 1): Decimal(850_000) for month in range(1, 13)}
        for node in ("company", "region:华东")
    },
    quarter={("bookings", "company"): Outlook(date(2026, 1, 1), Decimal(3_000_000), 3.2, None, None)},
    year={("bookings", "company"): Outlook(date(2026, 1, 1), Decimal(12_000_000), 1.1, None, None)},
)
GOOD: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("good_plan.yaml").read_text(encoding="utf-8"))
Edit = Callable[[dict[str, Any]], None]


def checked(edit: Edit = lambda plan: None, known: Known = KNOWN) -> Report:
    plan = copy.deepcopy(GOOD)
    edit(plan)
    return check_plan(Plan.model_validate(plan), COMPANY, known, TODAY)


def of(report: Report, name: str) -> Judged:
    (found,) = [one for one in report.judged if one.item.name.startswith(name)]
    return found


def target(**stated: Any) -> Edit:
    return lambda plan: plan["versions"][0]["targets"][0].update(stated)


def goal(**stated: Any) -> Edit:
    return lambda plan: plan["goals"][0].update(stated)


def initiative(**stated: Any) -> Edit:
    return lambda plan: plan["goals"][0]["initiatives"][0].update(stated)


def action(**stated: Any) -> Edit:
    return lambda plan: plan["goals"][0]["initiatives"][0]["actions"][0].update(stated)


def version(**stated: Any) -> Edit:
    return lambda plan: plan["versions"][0].update(stated)


def pin(**stated: Any) -> Edit:
    return lambda plan: plan["versions"][0]["pins"][0].update(stated)


def test_a_good_plan_passes_at_every_letter_but_for_what_nobody_knows_yet() -> None:
    report = checked()
    assert report.count("fail") == 0
    doubted = {(one.item.name, letter) for one in report.judged for letter in LETTERS if one.verdict(letter) == "warn"}
    assert doubted == {("entered:proposal · company", "A"), ("G2 方案", "A")}
    assert [one.code for one in of(report, "entered:proposal").of("A")][0] == "no_history"


def test_achievable_says_the_numbers_it_was_judged_by() -> None:
    # 12,000,000 / 10,200,000 is +17.6 %. Ten people of 1,400,000: quotas of 14,000,000, +16.7 %; at 95 % they do
    # 13,300,000, 110.8 %.
    (record,) = [one for one in records(checked()) if one["item"] == "bookings · company" and one["letter"] == "A"]
    assert record["verdict"] == "pass"
    said = str(record["reason_en"])
    for part in (
        "+17.6% over 10,200,000.00",
        "13,300,000.00, 110.8%",
        "14,000,000.00 are +16.7%",
        "3.20 times",
        "no probability yet",
    ):
        assert part in said
    assert "增长" not in said
    assert "比 10,200,000.00" in str(record["reason_zh"])


BAD: dict[str, tuple[Edit, str, str, str]] = {
    "goal without a person": (goal(dri=None), "G1", "DRI", "no_dri"),
    "initiative of two people": (initiative(dri="u1, u2"), "I1", "DRI", "several_dri"),
    "person nobody knows": (action(dri="u77"), "A1", "DRI", "dri_unknown"),
    "person who left": (action(dri="u90"), "A1", "DRI", "dri_left"),
    "person who is switched off": (action(dri="u92"), "A1", "DRI", "dri_inactive"),
    "person who leaves before it is due": (initiative(dri="u91"), "I1", "DRI", "dri_leaves"),
    "no deadline": (action(due_on=None), "A1", "T", "no_deadline"),
    "deadline outside of the year": (goal(due_on=date(2027, 1, 31)), "G1", "T", "due_outside"),
    "target due outside of the year": (target(due_on=date(2025, 12, 31)), "bookings · company", "T", "due_outside"),
    "action due after its initiative": (action(due_on=date(2026, 10, 1)), "A1", "T", "due_after_parent"),
    "goal that moves what no mart computes": (goal(metric="market_share"), "G1", "M", "metric_unknown"),
    "margin of deals, which have no cost": (target(metric="margin"), "margin · company", "M", "margin_of_deals"),
    "cash that no source pays": (target(metric="cash_collected"), "cash_collected · company", "M", "not_fed"),
    "stores without a channel": (target(metric="store_visits"), "store_visits · company", "M", "not_channel"),
    "stage that the funnel lacks": (target(metric="entered:demo"), "entered:demo · company", "M", "stage_unknown"),
    "kind of activity never seen": (target(metric="activities:dance"), "activities:dance", "M", "kind_unseen"),
    "impossible growth": (target(base=20_000_000), "bookings · company", "A", "growth_high"),
    "pin that grows impossibly": (pin(base=4_000_000), "bookings · region:华东 · Q1", "A", "growth_high"),
    "capacity short": (
        version(capacity=[{"metric": "bookings", "quota_per_head": 1_000_000}]),
        "bookings · company",
        "A",
        "capacity_short",
    ),
    "quotas far over the target": (
        version(capacity=[{"metric": "bookings", "quota_per_head": 1_500_000}]),
        "bookings · company",
        "A",
        "over_assigned",
    ),
    "target linked to nothing": (target(goal=None), "bookings · company", "R", "unlinked"),
    "target of a goal that does not exist": (target(goal="G9"), "bookings · company", "R", "goal_unknown"),
    "goals in a circle": (goal(parent="G2"), "G1", "R", "goal_circle"),
    "goal whose parent does not exist": (goal(parent="G0"), "G1", "R", "parent_unknown"),
    "goal that nothing serves": (
        lambda plan: plan["goals"].append({"id": "G3", "name": "x", "dri": "u1", "due_on": date(2026, 6, 1)}),
        "G3",
        "R",
        "goal_empty",
    ),
    "node that does not exist": (target(node="region:火星"), "bookings · region:火星", "S", "node_unknown"),
    "segment that no customer has": (target(segment="政府"), "bookings · company · 政府", "S", "segment_unknown"),
    "pin of a period that there is not": (pin(period="2025-03"), "bookings · region:华东", "T", "period_unknown"),
}
DOUBTFUL: dict[str, tuple[Edit, str, str, str]] = {
    "no stretch": (target(stretch_ratio=None), "bookings · company", "S", "no_stretch"),
    "quotas under the target": (
        version(capacity=[{"metric": "bookings", "quota_per_head": 1_150_000}]),
        "bookings · company",
        "A",
        "under_assigned",
    ),
    "thin pipeline": (version(check={"min_coverage": 4}), "bookings · company", "A", "coverage_low_limit"),
    "metric that does not lead to the goal's": (goal(metric="cash_due"), "bookings · company", "R", "metric_apart"),
    "segment that no mart tells apart": (target(segment="大型企业"), "bookings · company", "M", "segment_unmeasured"),
    "initiative that nobody acts on": (initiative(actions=[]), "I1", "A", "no_actions"),
    "action that moves nothing": (action(metric=None), "A1", "M", "moves_nothing"),
    "deadline that has passed": (action(due_on=date(2026, 1, 10)), "A1", "T", "due_past"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_planted_faults_fail_at_their_letter(case: str) -> None:
    edit, name, letter, code = BAD[case]
    judged = of(checked(edit), name)
    assert judged.verdict(letter) == "fail"  # type: ignore[arg-type]
    assert code in [one.code for one in judged.of(letter) if one.verdict == "fail"]  # type: ignore[arg-type]


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_warns_and_fails_nothing(case: str) -> None:
    edit, name, letter, code = DOUBTFUL[case]
    report = checked(edit)
    judged = of(report, name)
    assert judged.verdict(letter) == "warn"  # type: ignore[arg-type]
    assert code in [one.code for one in judged.of(letter)]  # type: ignore[arg-type]
    assert judged.verdict(letter) != "fail"  # type: ignore[arg-type]


def test_before_the_first_night_nothing_fails_for_want_of_data() -> None:
    report = checked(known=Known())
    assert report.count("fail") == 0
    codes = {one.code for one in of(report, "bookings · company").of("A")}
    assert {"no_history", "no_coverage", "no_probability", "capacity_fits"} <= codes


def test_a_plan_without_people_and_data_leaves_nodes_and_persons_open() -> None:
    report = checked(version(people=[], capacity=[], pins=[]), Known())
    assert report.count("fail") == 0
    assert [one.code for one in of(report, "G1").of("DRI")] == ["dri_unchecked"]


@pytest.mark.parametrize(
    ("metric", "columns", "verdict"),
    [
        ("cash_due", {"contract": {"payment_terms"}}, "pass"),
        ("cash_due", {"contract": {"amount"}, "payment": {"due_on"}}, "pass"),
        ("cash_due", {"contract": {"amount"}}, "fail"),
        ("cash_due", {"payment": {"due_on"}}, "fail"),
        ("collection_rate", {"contract": {"payment_terms"}}, "fail"),
        ("collection_rate", {"contract": {"payment_terms"}, "payment": {"paid_on"}}, "pass"),
        ("margin", {"contract": {"amount"}}, "fail"),
        ("margin", {"contract": {"amount", "cost"}}, "pass"),
        ("sell_through", {"store": {"store_id"}, "store_visit": {"sku_sold"}}, "fail"),
        ("sell_through", {"store": {"store_id"}, "store_visit": {"sku_sold", "sku_stocked"}}, "pass"),
    ],
)
def test_measurable_asks_for_what_the_marts_compute_it_from(
    metric: str, columns: dict[str, set[str]], verdict: str
) -> None:
    feeds = Feeds({entity: frozenset(own) for entity, own in columns.items()}, "contract", ("won",), is_channel=True)
    assert feeds.judge(metric, None).verdict == verdict


def test_next_year_is_compared_with_the_last_twelve_full_months() -> None:
    # As of 14 January 2026 the plan of 2027 is held against January to December 2025.
    plan = copy.deepcopy(GOOD)
    plan |= {"year": 2027, "goals": []}
    plan["versions"][0] |= {"effective_on": date(2027, 1, 1), "pins": []}
    plan["versions"][0]["targets"] = [{"metric": "bookings", "base": 20_000_000}]
    (judged,) = check_plan(Plan.model_validate(plan), COMPANY, KNOWN, TODAY).judged
    (growth,) = [one for one in judged.of("A") if one.code == "growth_high"]
    assert (growth.said["result"], growth.said["from"]) == (Decimal(10_200_000), date(2025, 1, 1))


def test_a_probability_below_the_plans_own_limit_fails_once_there_is_one() -> None:
    outlook = Outlook(date(2026, 1, 1), Decimal(12_000_000), 1.1, None, 0.12)
    known = Known(**{**vars(KNOWN), "year": {("bookings", "company"): outlook}})
    judged = of(checked(known=known), "bookings · company")
    assert judged.of("A")[0].code == "probability_low"
    assert of(checked(version(check={"min_probability": "0.1"}), known), "bookings · company").verdict("A") == "pass"


def test_the_marts_own_coverage_counts_before_the_plans_limit() -> None:
    outlook = Outlook(date(2026, 1, 1), Decimal(3_000_000), 3.2, 4.5, None)
    known = Known(**{**vars(KNOWN), "quarter": {("bookings", "company"): outlook}})
    judged = of(checked(known=known), "bookings · company")
    assert [one.code for one in judged.of("A") if one.verdict == "warn"] == ["coverage_low_own"]


def test_only_the_version_in_force_and_those_to_come_are_checked() -> None:
    def revised(plan: dict[str, Any]) -> None:
        for number, day in ((2, date(2026, 1, 1)), (3, date(2026, 7, 1))):
            plan["versions"].append({"id": f"2026-{number}", "effective_on": day, "decided_by": "u1", "reason": "x"})
        plan["versions"][0]["effective_on"] = date(2025, 12, 1)

    versions = {one.item.version for one in checked(revised).judged if one.item.kind == "target"}
    assert versions == {"2026-2", "2026-3"}


def test_every_finding_has_words_in_both_languages() -> None:
    used = {edit[3] for edit in (*BAD.values(), *DOUBTFUL.values())}
    assert used <= set(texts())
    for code, words in texts().items():
        assert set(words) == {"en", "zh"}, code
        fields = [set(part.split("{")[-1].split(":")[0] for part in text.split("}")[:-1]) for text in words.values()]
        assert fields[0] == fields[1], code
