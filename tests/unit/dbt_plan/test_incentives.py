"""Pay slips of a small company, built by dbt: every line as worked out by hand."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flows.config.leaderboards import USUAL_BOARDS
from flows.config.plan import Plan, resolved
from flows.config.yaml_file import parse
from flows.warehouse.pay_inputs import incentive_rows, leaderboard_rows
from tests.dbt_fixture import failures, query, run_dbt, write_build

AS_OF = date(2026, 8, 15)
PLAN = """
year: 2026
versions:
  - id: "2026-1"
    effective_on: 2026-01-01
    decided_on: 2025-12-10
    decided_by: lead
    reason: annual plan
    incentives:
      - id: commission
        name_en: Commission
        name_zh: 签约提成
        metric: bookings
        tiers: [{at_least: 0, rate: 1%}, {at_least: 80%, rate: 3%}, {at_least: 100%, rate: 5%}]
      - id: deals
        name_en: Deals won
        name_zh: 赢单奖
        kind: kicker
        metric: won_count
        period: month
        per_unit: 500
        clawback: false
        applies_to: ["region:North"]
        conditions: [{metric: bookings, value_at_least: 10万}]
      - id: team
        name_en: Team bonus
        name_zh: 团队奖金
        kind: bonus
        metric: bookings
        roles: [manager]
        target_pay: 10000
        tiers: [{at_least: 90%, rate: 0.5}, {at_least: 100%, rate: 1}]
    splits: [{record_id: D-12, user_id: u2, share: 30%, reason: won together}]
    draws: [{user_id: u2, monthly: 1000, from_on: 2026-01-01, until_on: 2026-06-30}]
  - id: "2026-2"
    effective_on: 2026-07-01
    decided_on: 2026-06-20
    decided_by: lead
    reason: more for the last tier
    incentives:
      - id: commission
        name_en: Commission
        name_zh: 签约提成
        metric: bookings
        tiers: [{at_least: 0, rate: 1%}, {at_least: 80%, rate: 3%}, {at_least: 100%, rate: 6%}]
      - {id: deals, name_en: Deals won, name_zh: 赢单奖, metric: won_count, kind: kicker, per_unit: 500, active: false}
"""
USERS = [
    {"user_id": "lead", "name": "Chen", "role": "leader"},
    {"user_id": "m1", "name": "Ma", "role": "manager", "region": "North", "team": "A"},
    {"user_id": "u1", "name": "Li", "role": "rep", "region": "North", "team": "A"},
    {"user_id": "u2", "name": "Wu", "role": "rep", "region": "North", "team": "A"},
    {"user_id": "u3", "name": "Zhao", "role": "rep", "region": "South", "left_on": date(2026, 5, 20)},
]
FIRST_NIGHT = date(2026, 1, 1)


def won(key: str, owner: str, amount: int, month: int, day: int) -> dict:
    """A deal won in 2026, first seen the night after."""
    closed = date(2026, month, day)
    return {
        "opportunity_id": key,
        "owner_id": owner,
        "stage": "won",
        "amount": Decimal(amount),
        "created_on": FIRST_NIGHT,
        "closed_on": closed,
        "_valid_from": closed,
    }


DEALS = [
    won("D-10", "u1", 700_000, 1, 15),
    won("D-11", "u1", 200_000, 2, 10),
    won("D-11", "u1", 200_000, 2, 10)
    | {"stage": "proposal", "closed_on": None, "_change": "changed", "_valid_from": date(2026, 5, 3)},
    won("D-12", "u1", 100_000, 3, 5),
    won("D-13", "u1", 600_000, 5, 20),
    won("D-14", "u1", 150_000, 8, 3),
    won("D-20", "u2", 60_000, 4, 10),
    won("D-21", "u2", 1_000_000, 7, 10),
    won("D-30", "u3", 40_000, 5, 10),
    won("D-31", "u3", 30_000, 6, 1),
]


def target(user: str, quarter: int, base: int) -> dict:
    """A rep's target of a quarter of 2026."""
    return {
        "plan_version": "2026-0",
        "metric": "bookings",
        "period_kind": "quarter",
        "period_start_on": date(2026, 3 * quarter - 2, 1),
        "node_kind": "rep",
        "node_name": user,
        "base": Decimal(base),
        "currency": "CNY",
    }


TARGETS = [
    target("u1", 1, 1_000_000),
    target("u1", 2, 500_000),
    target("u1", 3, 100_000),
    target("u2", 1, 100_000),
    target("u2", 2, 100_000),
    target("u3", 2, 50_000),
]


def plan_inputs(folder: Path, text: str) -> dict:
    """Input tables of a plan file, as a night of ``AS_OF`` writes them."""
    path = folder / "2026.yaml"
    path.write_text(text, encoding="utf-8")
    faults: list[str] = []
    plan = parse(path, Plan, faults)
    assert plan is not None, faults
    versions = resolved(plan)
    rows = [
        {
            "plan_version": version.id,
            "fiscal_year": plan.year,
            "fiscal_year_start_on": date(plan.year, 1, 1),
            "effective_on": version.effective_on,
            "decided_on": version.decided_on,
        }
        for version in versions
    ]
    return {"plan_version": rows, **incentive_rows(versions), "leaderboard": leaderboard_rows(USUAL_BOARDS)}


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    """The night of 15 August 2026."""
    folder = tmp_path_factory.mktemp("pay")
    log = {
        "user": [row | {"_valid_from": FIRST_NIGHT} for row in USERS],
        "opportunity": DEALS,
        "target": [row | {"_valid_from": FIRST_NIGHT} for row in TARGETS],
    }
    built = write_build(folder / "build", as_of=AS_OF, log=log, inputs=plan_inputs(folder, PLAN))
    assert failures(run_dbt(built, "run", "--select", "+mart_incentive_total", "+mart_leaderboard")) == []
    return built


# Worked out by hand. u1, first quarter: 700,000 + 200,000 (D-11, reopened in May, counted when it was paid) + 100,000
# less 30 % for u2 = 970,000 of a target of 1,000,000: 800,000 × 1 % and 170,000 × 3 %. Second quarter: 600,000 of
# 500,000, and D-11 taken back at 13,100 ÷ 970,000. Third, not over, by the second version: 150,000 of 100,000 with 6
# % from 100 % on. u2 has a draw of 3,000 a quarter to June; in the third quarter he has no target. u3 left on 20 May:
# the 30,000 of June are not his. m1's team: 1,000,000 of 1,100,000 (half of 10,000), 660,000 of 600,000, 1,150,000 of
# 100,000. Deals won pay 500 in months with bookings of 100,000: D-12 is 0.7 u1's; in March u2 has 0.3 and no
# bookings.
Q1, Q2, Q3 = "2026-01-01", "2026-04-01", "2026-07-01"
LINES = f"""
m1 team {Q1} restored 200000 0
m1 team {Q1} bonus 10000 5000
m1 team {Q2} bonus 10000 10000
m1 team {Q2} clawback -200000 -1000
m1 team {Q3} bonus 10000 10000
u1 commission {Q1} restored 200000 0
u1 commission {Q1} split_given -30000 0
u1 commission {Q1} tier 800000 8000
u1 commission {Q1} tier 170000 5100
u1 commission {Q2} tier 400000 4000
u1 commission {Q2} tier 100000 3000
u1 commission {Q2} tier 100000 5000
u1 commission {Q2} clawback -200000 -2701.03
u1 commission {Q3} tier 80000 800
u1 commission {Q3} tier 20000 600
u1 commission {Q3} tier 50000 3000
u1 deals 2026-01-01 condition 700000 0
u1 deals 2026-01-01 per_unit 1 500
u1 deals 2026-02-01 restored 1 0
u1 deals 2026-02-01 condition 200000 0
u1 deals 2026-02-01 per_unit 1 500
u1 deals 2026-03-01 split_given -0.3 0
u1 deals 2026-03-01 condition 100000 0
u1 deals 2026-03-01 per_unit 0.7 350
u1 deals 2026-04-01 condition 0 0
u1 deals 2026-05-01 condition 600000 0
u1 deals 2026-05-01 per_unit 1 500
u1 deals 2026-06-01 condition 0 0
u2 (draw) {Q1} draw_advance 3000 3000
u2 (draw) {Q1} draw_set_off 300 -300
u2 (draw) {Q1} draw_owed 2700 0
u2 (draw) {Q2} draw_advance 3000 3000
u2 (draw) {Q2} draw_set_off 600 -600
u2 (draw) {Q2} draw_owed 5100 0
u2 (draw) {Q3} draw_set_off 10000 -5100
u2 commission {Q1} split_received 30000 0
u2 commission {Q1} tier 30000 300
u2 commission {Q2} tier 60000 600
u2 commission {Q3} tier 1000000 10000
u2 deals 2026-01-01 condition 0 0
u2 deals 2026-02-01 condition 0 0
u2 deals 2026-03-01 split_received 0.3 0
u2 deals 2026-03-01 condition 0 0
u2 deals 2026-04-01 condition 60000 0
u2 deals 2026-05-01 condition 0 0
u2 deals 2026-06-01 condition 0 0
u3 commission {Q1} no_result 0 0
u3 commission {Q2} after_leaving -30000 0
u3 commission {Q2} tier 40000 400
"""


def test_every_line_of_a_years_pay_is_as_worked_out_by_hand(build):
    found = query(
        build,
        """
        select user_id, rule_id, cast(period_start_on as varchar), line_kind, base_amount, amount
        from marts.mart_incentive
        order by user_id, rule_id, period_start_on, line_no
        """,
    )
    wanted = [line.split() for line in LINES.strip().splitlines()]
    assert found == [(*names, Decimal(base), Decimal(amount)) for *names, base, amount in wanted]


def test_a_line_reads_as_on_a_pay_slip(build):
    lines = query(
        build,
        """
        select line_zh, line_en from marts.mart_incentive
        where user_id = 'u1' and rule_id = 'commission' and period_start_on between '2026-01-01' and '2026-06-30'
        order by period_start_on, line_no
        """,
    )
    assert lines[1][0] == "D-12 业绩分出：-100,000.00 × 30% = -30,000.00"
    assert lines[3] == ("第二档 80%–100%：170,000.00 × 3% = 5,100.00", "Tier 2, 80%–100%: 170,000.00 × 3% = 5,100.00")
    assert lines[7] == (
        "扣回 D-11（2026-02-10，已在 2026-01-01 起的季度发放，2026-05-03 取消）："
        "-200,000.00 × 13,100.00 ÷ 970,000.00 = -2,701.03",
        "Taken back, D-11 of 2026-02-10 (paid for the quarter from 2026-01-01), cancelled on 2026-05-03: "
        "-200,000.00 × 13,100.00 ÷ 970,000.00 = -2,701.03",
    )


def test_totals_are_the_sums_of_their_lines_and_say_what_is_owed(build):
    totals = query(
        build,
        """
        select totals.total - lines.total, totals.n_lines - lines.n, totals.is_final, totals.period_end_on
        from marts.mart_incentive_total as totals
        full join (
            select user_id, period_kind, period_start_on, sum(amount) as total, count(*) as n
            from marts.mart_incentive group by all
        ) as lines using (user_id, period_kind, period_start_on)
        """,
    )
    assert len(totals) == 23
    assert {row[:2] for row in totals} == {(0, 0)}
    assert all(is_final == (end_on <= AS_OF) for *_, is_final, end_on in totals)
    owed = "select total, draw_owed from marts.mart_incentive_total where user_id = 'u2' and period_kind = 'quarter'"
    assert query(build, owed + " order by period_start_on") == [(3000, 2700), (3000, 5100), (4900, 0)]


def test_boards_rank_reps_and_teams_of_periods_that_are_known(build):
    found = query(
        build,
        """
        select board_id, node_key, rank, previous_rank, no_rank_because from marts.mart_leaderboard
        where period_kind = 'quarter' and period_start_on = '2026-07-01' order by board_no, rank nulls last, node_key
        """,
    )
    assert found == [
        ("bookings", "rep:u2", 1, 3, None),
        ("bookings", "rep:u1", 2, 1, None),
        ("bookings_attainment", "rep:u1", 1, 2, None),
        ("bookings_attainment", "rep:u2", None, 3, "no target"),
        ("teams_attainment", "team:North/A", 1, 1, None),
    ]
    assert query(build, "select min(period_start_on) from marts.mart_leaderboard") == [(date(2026, 1, 1),)]
