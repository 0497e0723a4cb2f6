"""Pay slips of a small company, built by dbt: every line as worked out by hand.

Random rules and results are paid by the SQL of the same models and by a computation that counts every cent and month.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.fiscal import FiscalCalendar
from flows.config.leaderboards import USUAL_BOARDS
from flows.config.plan import Plan, resolved
from flows.config.yaml_file import parse
from flows.errors import ConfigError
from flows.publish.pay import pay_period, read_pay, worded
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


def test_a_pay_slip_is_printed_as_the_mart_has_it(build):
    slips = read_pay(build / "candidate.duckdb", "Wu", pay_period(FiscalCalendar(), "2026-Q3"))
    assert [worded(slip, "en") for slip in slips] == [
        [
            "Wu (u2)  2026-07-01 – 2026-09-30  (if it ended tonight)",
            "  Commission",
            "    Tier 1, no target set: 1,000,000.00 × 1% = 10,000.00",
            "  Draw",
            "    Set off: earned 10,000.00; owed before 5,100.00, advanced 0.00, guaranteed 0.00: -5,100.00",
            "  Total: 4,900.00",
        ]
    ]
    assert worded(slips[0], "zh")[2] == "    第一档（本期无目标）：1,000,000.00 × 1% = 10,000.00"
    running = read_pay(build / "candidate.duckdb")
    assert [(slip.user_id, slip.period_kind) for slip in running] == [
        ("m1", "quarter"),
        ("u1", "quarter"),
        ("u2", "quarter"),
    ]
    with pytest.raises(ConfigError, match="somebody who is paid, found 'nobody'"):
        read_pay(build / "candidate.duckdb", "nobody")


@pytest.mark.parametrize(
    ("name", "start"),
    [("2026-Q1", "2025-04-01"), ("2026-03", "2026-03-01"), ("2026-04", "2026-04-01"), ("2026-H2", "2025-10-01")],
)
def test_pay_periods_are_named_by_the_fiscal_year(name, start):
    assert str(pay_period(FiscalCalendar(start_month=4), name).start_on) == start


def test_what_is_no_pay_period_is_refused():
    with pytest.raises(ConfigError, match="--period: expected a fiscal period such as 2026-Q1"):
        pay_period(FiscalCalendar(), "2026-Q5")


RATES = st.integers(0, 3_000_000).map(lambda millionths: Decimal(millionths) / 1_000_000)
THRESHOLDS = st.sampled_from([Decimal(text) for text in ("0", "0.333333", "0.5", "0.8", "0.805", "1", "1.2", "1.5")])


@pytest.fixture(scope="module")
def compiled(build) -> dict[str, str]:
    """The SQL of the models as dbt handed it to the engine."""
    folder = build / "target" / "compiled" / "planloop" / "models" / "intermediate" / "incentives"
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.sql")}


def engine(tables: dict[str, tuple[str, list[tuple[Any, ...]]]]) -> duckdb.DuckDBPyConnection:
    """A database in memory with tables by ``schema.name``: their columns as SQL, and rows."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(
        "attach ':memory:' as scratch; create schema scratch.intermediate; create schema scratch.staging"
    )
    for name, (columns, rows) in tables.items():
        connection.execute(f"create table scratch.{name} ({columns})")
        if rows:
            connection.executemany(f"insert into scratch.{name} values ({', '.join('?' for _ in rows[0])})", rows)
    return connection


@st.composite
def rules(draw) -> dict[str, Any]:
    """A rule with tiers or pay for each unit, and one person's result in it, in hundredths."""
    kind = draw(st.sampled_from(["commission", "bonus", "kicker"]))
    at_least = sorted(draw(st.sets(THRESHOLDS, min_size=1, max_size=4))) if kind != "kicker" else []
    return {
        "kind": kind,
        "mode": "whole" if kind == "bonus" else draw(st.sampled_from(["marginal", "whole"])),
        "tiers": [(share, draw(RATES)) for share in at_least],
        "target_pay": draw(st.integers(1, 2_000_000)) if kind == "bonus" else None,
        "per_unit": draw(st.integers(1, 100_000)) if kind == "kicker" else None,
        "cap": draw(st.none() | st.integers(0, 400)),
        "is_met": draw(st.booleans()),
        "target": draw(st.none() | st.integers(0, 300)),
        "credited": draw(st.integers(-20, 500)),
    }


def rounded(value: Fraction) -> int:
    """Halves away from zero."""
    return int((2 * abs(value) + 1) // 2) * (1 if value >= 0 else -1)


def attained(value: int, target: int | None, share: Decimal) -> bool:
    """Whether a value of so many hundredths has an attainment of at least ``share``."""
    return share == 0 and value >= 0 if not target else Fraction(value, target) >= Fraction(share)


def bases_of_tiers(rule: dict[str, Any]) -> dict[int, int]:
    """What each tier is paid on: each cent counts in the highest tier that was reached before it was booked."""
    target, credited, tiers = rule["target"], rule["credited"], rule["tiers"]
    bases = dict.fromkeys(range(len(tiers)), 0)
    for value in range(credited) if rule["mode"] == "marginal" else [credited]:
        reached = [place for place, (share, _) in enumerate(tiers) if attained(value, target, share)]
        if reached and rule["mode"] == "marginal":
            bases[reached[-1]] += 1
        elif reached:
            bases[reached[-1]] = rule["target_pay"] or credited
    return {place: base for place, base in bases.items() if base > 0}


def why_less(rule: dict[str, Any], bases: dict[int, int]) -> list[tuple[Any, ...]]:
    """Of tiers that start above 0: what lies below the first, or why there is none."""
    if not rule["target"]:
        return [("no_target", 0, rule["credited"], 0)]
    if rule["credited"] > 0 and rule["mode"] == "marginal":
        return [("below", 0, rule["credited"] - sum(bases.values()), 0)]
    return [("missed", 0, rule["credited"], 0)] if rule["credited"] > 0 and not bases else []


def slowly(rule: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Lines of a rule: kind, tier, base, amount."""
    if not rule["is_met"]:
        return set()
    credited = rule["credited"]
    bases = bases_of_tiers(rule)
    lines: list[tuple[Any, ...]] = [
        ("tier", place + 1, base, rounded(base * Fraction(rule["tiers"][place][1]))) for place, base in bases.items()
    ]
    if rule["per_unit"] and credited > 0:
        lines.append(("per_unit", 0, credited, rounded(Fraction(credited * rule["per_unit"], 100))))
    if rule["tiers"] and rule["tiers"][0][0] > 0:
        lines += why_less(rule, bases)
    earned = sum(line[3] for line in lines)
    if not lines:
        lines.append(("no_result", 0, credited, 0))
    if rule["cap"] is not None and earned > rule["cap"]:
        lines.append(("cap", 99, rule["cap"], rule["cap"] - earned))
    return set(lines)


def tier_rows(number: int, rule: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The rule's tiers as the input table has them."""
    following = [*(share for share, _ in rule["tiers"][1:]), None]
    for place, ((share, rate), after) in enumerate(zip(rule["tiers"], following, strict=False), 1):
        yield ("v", str(number), place, share, after, rate)


@settings(max_examples=40, deadline=None)
@given(cells=st.lists(rules(), min_size=1, max_size=25))
def test_pay_equals_a_slow_computation_on_random_rules_and_results(compiled, cells):
    numbered = list(enumerate(cells))
    tables = {
        "intermediate.int_incentive_entitled": (
            "pay_no int, plan_version text, rule_id text, kind text, tier_mode text, target_pay_cents bigint,"
            " per_unit_cents bigint, cap_cents bigint",
            [
                (no, "v", str(no), rule["kind"], rule["mode"], rule["target_pay"], rule["per_unit"], rule["cap"])
                for no, rule in numbered
            ],
        ),
        "intermediate.int_incentive_bases": (
            "pay_no int, target_hundredths bigint, credited_hundredths bigint",
            [(no, rule["target"], rule["credited"]) for no, rule in numbered],
        ),
        "intermediate.int_incentive_conditions": (
            "pay_no int, is_met boolean",
            [(no, held) for no, rule in numbered for held in (True, rule["is_met"])],
        ),
        "staging.stg_night__incentive_tiers": (
            "plan_version text, rule_id text, tier_no int, at_least decimal(18, 6), next_at_least decimal(18, 6),"
            " rate decimal(18, 6)",
            [row for no, rule in numbered for row in tier_rows(no, rule)],
        ),
    }
    with engine(tables) as connection:
        connection.execute(
            f"create table scratch.intermediate.int_incentive_tiers as {compiled['int_incentive_tiers']}"
        )
        connection.execute(f"create table earned as {compiled['int_incentive_earned']}")
        found = connection.execute(
            "select pay_no, line_kind, tier_no, base_hundredths, amount_cents from earned"
        ).fetchall()
    assert len(found) == len(set(found))
    assert set(found) == {(no, *line) for no, rule in numbered for line in slowly(rule)}


QUARTERS = [date(2026, month, 1) for month in (1, 4, 7, 10)]
MONTHS = [date(2026, month, 1) for month in range(1, 13)]


@settings(max_examples=40, deadline=None)
@given(
    draws=st.lists(
        st.tuples(st.integers(1, 300_000), st.sampled_from(MONTHS), st.sampled_from(MONTHS), st.booleans()),
        max_size=6,
    ),
    earned=st.lists(st.integers(-500_000, 1_500_000), min_size=4, max_size=4),
)
def test_draws_are_set_off_as_an_account_kept_quarter_by_quarter(compiled, draws, earned):
    stated = [one for one in draws if one[1] <= one[2]]
    quarters = {start: _month_end(MONTHS[MONTHS.index(start) + 2]) for start in QUARTERS}
    tables = {
        "intermediate.int_incentive_periods": (
            "period_kind text, period_start_on date, period_end_on date, plan_version text",
            [("quarter", start, end, "v") for start, end in quarters.items()],
        ),
        "intermediate.int_periods_progressed": (
            "period_kind text, period_start_on date, period_end_on date, has_begun boolean",
            [("month", start, _month_end(start), True) for start in MONTHS]
            + [("quarter", start, end, True) for start, end in quarters.items()],
        ),
        "staging.stg_night__draws": (
            "plan_version text, user_id text, period_kind text, monthly_cents bigint, from_on date, until_on date,"
            " is_recoverable boolean",
            [("v", "u", "quarter", cents, first, _month_end(last), owed) for cents, first, last, owed in stated],
        ),
        "intermediate.int_people_by_period": ("user_id text, left_on date", [("u", None)]),
        "intermediate.int_incentive_pay_lines": (
            "user_id text, period_kind text, period_start_on date, amount_cents bigint",
            [("u", "quarter", start, cents) for start, cents in zip(QUARTERS, earned, strict=True)],
        ),
        "intermediate.int_incentive_clawbacks": (
            "user_id text, period_kind text, period_start_on date, amount_cents bigint",
            [],
        ),
    }
    with engine(tables) as connection:
        found = connection.execute(
            "select period_start_on, guaranteed_set_off_cents, owed_before_cents, owed_cents "  # noqa: S608
            f"from ({compiled['int_incentive_settlements']}) order by 1"
        ).fetchall()
    account, owed = [], 0
    for start, cents in zip(QUARTERS, earned, strict=True):
        if not stated or start < min(QUARTERS[MONTHS.index(first) // 3] for _, first, _, _ in stated):
            continue
        months = [month for month in MONTHS if start <= month <= quarters[start]]
        advanced = {
            kind: sum(
                monthly
                for monthly, first, last, is_owed in stated
                for month in months
                if first <= month <= last and is_owed is kind
            )
            for kind in (True, False)
        }
        rest = max(cents, 0)
        guaranteed = min(rest, advanced[False])
        before, owed = owed, owed + advanced[True]
        owed -= min(owed, rest - guaranteed)
        account.append((start, guaranteed, before, owed))
    assert found == account


def _month_end(start: date) -> date:
    after = date(start.year + start.month // 12, start.month % 12 + 1, 1)
    return date.fromordinal(after.toordinal() - 1)
