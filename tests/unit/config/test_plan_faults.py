"""A plan that names what is not there, or says two things at once, is refused with the line of each fault."""

# ruff: noqa: E501 (what is wrong and its message stand side by side)

import re
from pathlib import Path

import pytest
import yaml

from flows.config.fiscal import FiscalCalendar
from flows.config.loader import load
from flows.config.plan.faults import Company, plan_faults
from flows.config.plan.model import Plan
from flows.config.plan.reading import read_plan
from flows.config.yaml_file import Lines, parse, place
from flows.errors import ConfigError

PROJECT = Path(__file__).parents[3]
COMPANY = Company(FiscalCalendar(), "CNY", ("proposal", "won"))

GOOD = """
year: 2026
goals:
  - {id: G1, name: grow}
  - {id: G2, name: win new customers, parent: G1, initiatives: [{id: I1, name: fairs, actions: [{id: A1, name: go}]}]}
versions:
  - id: v1
    effective_on: 2026-01-01
    decided_by: u1
    reason: annual plan
    budget_rates: {USD: 7.1}
    ramps: [{id: slow, shares: [20%, 60%]}]
    people:
      - {user_id: r1, region: North, team: A, ramp: slow, hired_on: 2025-05-01}
      - {user_id: r2, region: South, left_on: 2026-05-31}
    capacity: [{metric: bookings, quota_per_head: 500万}]
    split: given
    split_weights: {"region:North": 2, "region:South": 1}
    targets:
      - {metric: bookings, base: 100万, currency: USD, goal: G2, proposals: {capacity: true}}
      - {metric: "entered:proposal", node: "team:North/A", base: 40}
    pins: [{metric: bookings, node: "rep:r1", period: M01, base: 5万, reason: fair}]
    funnel: [{metric: "entered:proposal", to: bookings, value: 10万}]
    incentives:
      - {id: c, name_en: Commission, name_zh: 提成, metric: bookings, tiers: [{at_least: 0, rate: 2%}]}
    splits: [{record_id: D1, user_id: r2, share: 40%, reason: helped}]
    draws: [{user_id: r1, monthly: 3000, from_on: 2026-01-01, until_on: 2026-03-31}]
  - id: v2
    effective_on: 2026-07-01
    decided_by: u1
    reason: revision
    pins: [{metric: bookings, node: "rep:r1", period: Q3, base: 9万, reason: fair}]
"""


def faults_of(tmp_path: Path, text: str, company: Company = COMPANY) -> list[tuple[int, str]]:
    """Line and message of each fault."""
    path = tmp_path / "2026.yaml"
    path.write_text(text, encoding="utf-8")
    lines: Lines = {}
    unread: list[str] = []
    plan = parse(path, Plan, unread, lines=lines)
    assert plan is not None, unread
    found = [re.fullmatch(r".*2026\.yaml:(\d+): (.*)", line) for line in plan_faults(plan, company, place(path, lines))]
    return [(int(one[1]), one[2]) for one in found if one]


def line_of(text: str, mark: str) -> int:
    return text[: text.index(mark)].count("\n") + 1


def test_a_sound_plan_has_no_faults(tmp_path: Path) -> None:
    assert faults_of(tmp_path, GOOD) == []


WRONG = [
    ("parent: G1", "parent: G9", "goals.1.parent: expected the id of a goal (G1, G2); found 'G9'"),
    ("{id: G1, name: grow}", "{id: G1, name: grow, parent: G2}", "goals.0.parent: expected a goal above it"),
    (
        "{id: A1, name: go}",
        "{id: G1, name: go}",
        "actions.0.id: expected each id once among goals, initiatives and actions; found 'G1'",
    ),
    ("effective_on: 2026-07-01", "effective_on: 2026-07-02", "expected the first day of a fiscal month of 2026"),
    ("effective_on: 2026-07-01", "effective_on: 2027-07-01", "expected the first day of a fiscal month of 2026"),
    (
        "reason: revision",
        "decided_on: 2027-01-05\n    reason: x",
        "expected a day before the year is over (2026-12-31)",
    ),
    ("USD: 7.1", "EUR: 7.8", "targets.0.currency: expected a rate of USD in budget_rates (CNY a unit), found none"),
    ("{USD: 7.1}", "{USD: 0}", "budget_rates.USD: expected CNY a unit of USD, found 0"),
    ("{USD: 7.1}", "{USD: 7.1, CNY: 2}", "budget_rates.CNY: expected 1 for the reporting currency, found 2"),
    ("base: 40}", "base: 40, currency: CNY}", "expected no currency for entered:proposal, which is a count"),
    ("base: 40}", "base: 40.5}", "expected a whole number for entered:proposal, found 40.5"),
    (
        '{metric: "entered:proposal", node',
        '{metric: "entered:demo", node',
        "key of a stage (proposal, won); found 'demo'",
    ),
    ("base: 40}", "base: 40}\n      - {metric: collection_rate, base: 0.92}", "expected a percentage such as 92.5"),
    ("team:North/A", "team:North/B", "expected a node with people of the plan (team:North/A); found 'team:North/B'"),
    ('"region:South": 1', '"region:East": 1', "split_weights.region:East: expected a node with people of the plan"),
    ('"region:South": 1', "company: 1", "expected nodes below the company, found the company"),
    ("split: given", "split: capacity", "split_weights: expected split: given beside them, found capacity"),
    ('{"region:North": 2, "region:South": 1}', '{"region:North": 0}', "expected weights that are not all 0"),
    ("goal: G2", "goal: G7", "targets.0.goal: expected the id of a goal (G1, G2); found 'G7'"),
    ("{metric: bookings, quota", "{metric: margin, quota", "expected an entry of bookings in the section capacity"),
    (
        "{metric: bookings, quota",
        "{metric: sales, quota",
        "capacity.0.metric: no mart computes this metric; expected one of bookings",
    ),
    ("period: M01", "period: 2027-01", "expected a period of fiscal 2026 (2026-01-01 to 2026-12-31), such as Q2, M07"),
    ("period: Q3", "period: Q2", "expected a period that is not over when this version takes effect (2026-07-01)"),
    (
        "reason: fair}]\n    funnel",
        'reason: fair}, {metric: bookings, node: "rep:r1", period: 2026-01, base: 1, reason: x}]\n    funnel',
        "pins.1.period: expected each period once, found 2026-01, which is M01 again",
    ),
    (
        "      - {user_id: r2, region",
        "      - {user_id: r1}\n      - {user_id: r2, region",
        "people.1: expected each entry once a version, found r1 a second time",
    ),
    ("ramp: slow", "ramp: fast", "people.0.ramp: expected the id of a ramp (slow); found 'fast'"),
    (
        "left_on: 2026-05-31",
        "left_on: 2026-05-31, hired_on: 2026-06-01",
        "expected no day before hired_on (2026-06-01)",
    ),
    ("region: South", "region: S/E", "expected a name that is no dash and without a slash, found 'S/E'"),
    ("value: 10万", "rate: 10%", "expected value, because bookings is a money"),
    ('{metric: "entered:proposal", to', "{metric: margin, to", "expected something that is counted, found margin"),
    ("tiers: [{at", 'applies_to: ["region:X"], tiers: [{at', "incentives.0.applies_to.0: expected a node with people"),
    (
        "{record_id: D1, user_id: r2",
        "{record_id: D1, user_id: r9",
        "expected the user_id of one of the people (r1, r2)",
    ),
    (
        "metric: bookings, tiers: [{at",
        "metric: cash_collected, clawback: true, tiers: [{at",
        "incentives.0.clawback: expected clawback with bookings, margin or won_count, whose deals and contracts can be cancelled, "
        "found it with cash_collected",
    ),
    (
        "metric: bookings, tiers: [{at_least: 0, rate: 2%}]",
        "metric: cash_due, tiers: [{at_least: 0, rate: 2%}]",
        "incentives.0: expected a rule that pays reps on bookings, margin, won_count or cash_collected beside splits, found only",
    ),
    ("reason: helped}", "reason: h}, {record_id: D1, user_id: r1, share: 70%, reason: x}", "D1: expected shares of at"),
    (
        "reason: revision",
        "reason: x\n    draws: [{user_id: r1, monthly: 1, from_on: 2026-03-01, until_on: 2026-04-30}]",
        "r1: expected draws one after",
    ),
    (
        "reason: revision",
        "reason: x\n    people: [{user_id: r1, left_on: 2025-01-31}]",
        "expected no day before hired_on (2025-05-01)",
    ),
    (
        "reason: revision",
        'reason: x\n    withdrawn: [{metric: bookings, node: "rep:r1", period: M09, reason: x}]',
        "withdrawn.0: expected what the version before asks for, found none of its pins of that name",
    ),
    (
        "reason: revision",
        'reason: x\n    withdrawn: [{metric: bookings, node: "rep:r1", period: M01, reason: x}]',
        "withdrawn.0.period: expected a period that is not over when this version takes effect (2026-07-01)",
    ),
    (
        "reason: revision",
        "reason: x\n    targets: [{metric: bookings, base: 7}]\n    withdrawn: [{metric: bookings, reason: x}]",
        "withdrawn.0: expected it withdrawn or stated, found it among the targets of this version as well",
    ),
    (
        "reason: annual plan",
        "reason: x\n    withdrawn: [{metric: bookings, reason: x}]",
        "expected what the version before asks for, found none of its targets",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "message"), WRONG, ids=[message[:48] for *_, message in WRONG])
def test_each_fault_is_told_with_its_line(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert GOOD.count(right) == 1
    text = GOOD.replace(right, wrong)
    found = faults_of(tmp_path, text)
    told = [line for line, said in found if message in said]
    first = text[: text.index(wrong)].count("\n") + 1
    assert told, found
    assert set(told) & set(range(first, first + wrong.count("\n") + 1)) or "USD" in message or "capacity" in message


def test_what_a_version_takes_over_may_not_contradict_what_it_says(tmp_path: Path) -> None:
    text = """
year: 2026
versions:
  - {id: v1, effective_on: 2026-01-01, decided_by: u1, reason: a, targets: [{metric: bookings, base: 100, stretch: 120}]}
  - {id: v2, effective_on: 2026-07-01, decided_by: u1, reason: b, targets: [{metric: bookings, base: 130}]}
"""
    message = (
        "versions.1.targets.0: together with what it takes from the version before: expected stretch of at least base"
    )
    assert faults_of(tmp_path, text) == [(5, message)]


def test_without_people_nothing_is_said_about_nodes(tmp_path: Path) -> None:
    text = """
year: 2026
versions:
  - {id: v1, effective_on: 2026-01-01, decided_by: u1, reason: a, targets: [{metric: bookings, node: "region:X", base: 1}]}
"""
    assert faults_of(tmp_path, text) == []


def test_calendar_months_are_no_names_where_months_are_weeks(tmp_path: Path) -> None:
    weeks = Company(FiscalCalendar(pattern="4-4-5"), "CNY", ("proposal",))
    start = weeks.fiscal.periods(2026, "year")[0].start_on
    text = GOOD.replace("2026-01-01\n    decided", f"{start}\n    decided").replace("period: M01", "period: 2026-01")
    assert any("such as Q2, M07; found '2026-01'" in said for _, said in faults_of(tmp_path, text, weeks))


def test_loading_tells_faults_of_all_plans_at_once_with_file_and_line(tmp_path: Path) -> None:
    for path in (PROJECT / "config").glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "plans").mkdir()
    good = GOOD.replace("entered:proposal", "entered:negotiation")
    (tmp_path / "plans" / "2026.yaml").write_text(good, encoding="utf-8")
    assert [plan.year for plan in load(tmp_path, {"PLANLOOP_WORKSPACE": "/w"}).plans] == [2026]
    wrong = good.replace("goal: G2", "goal: G7").replace("ramp: slow", "ramp: fast")
    (tmp_path / "plans" / "2026.yaml").write_text(wrong, encoding="utf-8")
    later = "year: 2027\nversions: [{id: v1, effective_on: 2027-01-01, decided_by: u1, reason: 2027-02-30}]"
    (tmp_path / "plans" / "2027.yaml").write_text(later, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {"PLANLOOP_WORKSPACE": "/w"})
    assert [fault.partition("plans/")[2] for fault in refused.value.faults] == [
        f"2026.yaml:{line_of(wrong, 'goal: G7')}: versions.0.targets.0.goal: expected the id of a goal (G1, G2); found 'G7'",
        f"2026.yaml:{line_of(wrong, 'ramp: fast')}: versions.0.people.0.ramp: expected the id of a ramp (slow); found 'fast'",
        "2027.yaml:2: '2027-02-30' cannot be read: day is out of range for month",
    ]
    (tmp_path / "plans" / "2026.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "plans" / "2027.yaml").write_text(later.replace("2027-02-30", "x"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"2027.yaml:2: versions.0.id: .* found 'v1' also at .*2026.yaml:7"):
        load(tmp_path, {"PLANLOOP_WORKSPACE": "/w"})


def test_a_fault_in_one_entry_hides_none_in_another_and_none_beside_it(tmp_path: Path) -> None:
    for path in (PROJECT / "config").glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "plans").mkdir()
    changes = {
        "{metric: bookings, base: 100万,": "{metric: bokings, bases: 9, node: 3rd,",
        '{metric: "entered:proposal", node: "team:North/A", base: 40}': '{metric: calls, node: "team:North/B", base: 40.5}',
        "base: 5万, reason: fair": "base: five, reason: fair",
        'bookings, node: "rep:r1", period: M01': 'boking, node: "rep:r1", period: M01',
        "ramp: slow": "ramp: fast",
        "{record_id: D1": "{record_id: D2, user_id: r1, share: 4}, {record_id: D1",
        "share: 40%, reason: helped": "share: 40%, reason: helped}, {record_id: D3, user_id: r8, share: 1, reason: x",
    }
    text = GOOD.replace("entered:proposal", "entered:negotiation")
    for right, wrong in changes.items():
        right, wrong = (one.replace("entered:proposal", "entered:negotiation") for one in (right, wrong))
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    (tmp_path / "plans" / "2026.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {"PLANLOOP_WORKSPACE": "/w"})
    told = [fault.partition("2026.yaml:")[2] for fault in refused.value.faults]
    at = {mark: line_of(text, mark) for mark in ("bokings", "calls", "boking,", "fast", "D2")}
    expected = (
        f"{at['bokings']}: versions.0.targets.0.node: expected company, region:<name>",
        f"{at['bokings']}: versions.0.targets.0.bases: is not a known option",
        f"{at['bokings']}: versions.0.targets.0.metric: no mart computes this metric; expected one of bookings, margin",
        f"{at['calls']}: versions.0.targets.1.metric: no mart computes this metric",
        f"{at['calls']}: versions.0.targets.1.node: expected a node with people of the plan (team:North/A)",
        f"{at['boking,']}: versions.0.pins.0.base: expected an amount",
        f"{at['boking,']}: versions.0.pins.0.metric: no mart computes this metric",
        f"{at['fast']}: versions.0.people.0.ramp: expected the id of a ramp (slow); found 'fast'",
        f"{at['D2']}: versions.0.splits.0.reason: is required and missing",
        f"{at['D2']}: versions.0.splits.0.share: Input should be less than or equal to 1",
        # The third of the list, although the first one could not be read.
        f"{at['D2']}: versions.0.splits.2.user_id: expected the user_id of one of the people (r1, r2); found 'r8'",
    )
    for line in expected:
        assert sum(one.startswith(line) for one in told) == 1, (line, told)
    assert len(told) == len(expected)


def test_nothing_is_said_of_what_an_entry_that_cannot_be_read_would_have_named(tmp_path: Path) -> None:
    text = GOOD.replace("user_id: r1, region: North", "user_id: r1, hired: 1, region: North").replace("[20%,", "[20x,")
    data = yaml.safe_load(text)
    faults: list[str] = []
    assert read_plan(data, COMPANY, str, faults) is None
    assert [fault.partition(": ")[0] for fault in faults] == [
        "('versions', 0, 'people', 0, 'hired')",
        "('versions', 0, 'ramps', 0, 'shares', 0)",
    ]


def test_a_file_states_the_year_of_its_name_and_no_two_state_one_year(tmp_path: Path) -> None:
    for path in (PROJECT / "config").glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    folder = tmp_path / "plans"
    folder.mkdir()
    version = "versions: [{{id: v{0}, effective_on: {1}-01-01, decided_by: u1, reason: r}}]\n"
    (folder / "2024.yaml").write_text("", encoding="utf-8")
    (folder / "2025.yaml").write_text("year: 2026\n" + version.format(1, 2026), encoding="utf-8")
    (folder / "2026.yaml").write_text("year: 2026\n" + version.format(2, 2026), encoding="utf-8")
    (folder / "next.yml").write_text("year: 2027\n" + version.format(3, 2027), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {"PLANLOOP_WORKSPACE": "/w"})
    assert [fault.partition("plans/")[2] for fault in refused.value.faults] == [
        "2024.yaml:1: year: is required and missing",
        "2024.yaml:1: versions: is required and missing",
        "2025.yaml:1: year: expected 2025, as the file is named; found 2026",
        "2026.yaml:1: year: expected one plan a fiscal year, found a second one for 2026 beside 2025.yaml; put both into "
        "one file, or take one away",
    ]
