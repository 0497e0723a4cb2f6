"""Rules of pay and boards: what cannot be paid by is refused with its reason, a version is checked whole."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from flows.config.leaderboards import USUAL_BOARDS, Leaderboards
from flows.config.plan.incentives import Condition, Draw, IncentiveRule, Split, pay_faults
from flows.config.plan.model import Plan
from flows.config.plan.versions import resolved
from flows.warehouse.pay_inputs import incentive_rows, leaderboard_rows

RULE = {"id": "a", "name_en": "A", "name_zh": "甲", "metric": "bookings", "tiers": [{"at_least": 0, "rate": "3.25%"}]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metric": "happiness"}, "no mart computes this metric"),
        ({"metric": "won_count"}, "tiers of a commission are rates of money, and won_count is a count"),
        ({"tiers": [{"at_least": 1, "rate": 1}, {"at_least": 0.5, "rate": 1}]}, "ascending order"),
        ({"tiers": [{"at_least": "0.00000001", "rate": 1}]}, "at most six decimal places"),
        ({"target_pay": 5}, "a bonus needs target_pay, and only a bonus"),
        ({"kind": "kicker", "tiers": [], "per_unit": 5}, "per_unit pays for each of a metric that counts"),
        ({"kind": "kicker", "per_unit": 5}, "either per_unit or tiers"),
        ({"conditions": [{"metric": "margin"}]}, "either attainment_at_least or value_at_least"),
        ({"roles": []}, "at least 1 item"),
    ],
)
def test_a_rule_that_cannot_be_paid_by_is_refused_with_its_reason(change, reason):
    with pytest.raises(ValidationError, match=reason):
        IncentiveRule.model_validate(RULE | change)


def test_a_value_to_be_reached_is_written_as_a_target_would_be():
    asked = [Condition(metric="bookings", value_at_least=text).value_at_least for text in ("10万", "1,200", "90%", 90)]
    assert asked == [Decimal(100_000), Decimal(1_200), Decimal(90), Decimal(90)]


def test_a_version_is_checked_whole_and_all_faults_are_told():
    splits = [Split(record_id="D", user_id=user, share=Decimal("0.6"), reason="r") for user in ("u1", "u2")]
    draws = [
        Draw(user_id="u", monthly=Decimal(1), from_on=date(2026, first, 1), until_on=date(2026, 6, 30), period=period)
        for first, period in ((1, "quarter"), (5, "month"))
    ]
    faults = pay_faults(splits, draws)
    assert [fault[:2] for fault in faults] == [("splits", "D"), ("draws", "u"), ("draws", "u")]
    assert "found 1.2" in faults[0][2]
    assert pay_faults(splits[:1], draws[:1]) == []


def test_a_later_version_changes_a_rule_or_ends_it():
    version = {"decided_by": "u", "reason": "r", "effective_on": date(2026, 1, 1)}
    ended = {"id": "v2", "effective_on": date(2026, 7, 1), "incentives": [RULE | {"active": False}]}
    plan = Plan.model_validate(
        {"year": 2026, "versions": [version | {"id": "v1", "incentives": [RULE]}, version | ended]}
    )
    rows = incentive_rows(resolved(plan))
    assert [(row["plan_version"], row["rule_id"]) for row in rows["incentive_rule"]] == [("v1", "a")]
    assert [(row["plan_version"], row["rate"]) for row in rows["incentive_tier"]] == [("v1", Decimal("0.0325"))]


def test_boards_are_listed_by_period_and_named_once():
    rows = leaderboard_rows(USUAL_BOARDS)
    assert [(row["board_no"], row["period_kind"]) for row in rows[:3]] == [(1, "month"), (1, "quarter"), (1, "year")]
    with pytest.raises(ValidationError, match="each board once; given twice"):
        TypeAdapter(Leaderboards).validate_python([USUAL_BOARDS[0], USUAL_BOARDS[0]])
