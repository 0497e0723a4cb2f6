"""The tables of tonight's build that say how people are paid and ranked: rules, splits and draws of plans, boards.

Of every plan version that is known on the night, what holds in it, whole: which version a pay period is paid by is for
the build to say. Rates are exact decimals, money is whole cents, counts and percentages are hundredths.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from flows.config.leaderboards import Leaderboard
from flows.config.plan.metrics import plan_metric
from flows.config.plan.model import Plan
from flows.config.plan.versions import PlanVersion, resolved
from flows.warehouse.glossary import load_domains
from flows.warehouse.inputs import Columns, write_input
from flows.workspace import Workspace

_RATE = pl.Decimal(18, 6)
Row = dict[str, Any]

INCENTIVE_RULE: Columns = {
    "plan_version": pl.String(),
    "rule_id": pl.String(),
    "rule_no": pl.Int32(),
    "name_en": pl.String(),
    "name_zh": pl.String(),
    "kind": pl.String(),
    "metric": pl.String(),
    "metric_name_en": pl.String(),
    "metric_name_zh": pl.String(),
    "unit": pl.String(),
    "period_kind": pl.String(),
    "tier_mode": pl.String(),
    "target_pay_cents": pl.Int64(),
    "per_unit_cents": pl.Int64(),
    "cap_cents": pl.Int64(),
    "has_clawback": pl.Boolean(),
}
INCENTIVE_TIER: Columns = {
    "plan_version": pl.String(),
    "rule_id": pl.String(),
    "tier_no": pl.Int32(),
    "at_least": _RATE,
    "next_at_least": _RATE,
    "rate": _RATE,
}
INCENTIVE_CONDITION: Columns = {
    "plan_version": pl.String(),
    "rule_id": pl.String(),
    "condition_no": pl.Int32(),
    "metric": pl.String(),
    "metric_name_en": pl.String(),
    "metric_name_zh": pl.String(),
    "unit": pl.String(),
    "attainment_at_least": _RATE,
    "value_at_least_hundredths": pl.Int64(),
}
INCENTIVE_SCOPE: Columns = {
    "plan_version": pl.String(),
    "rule_id": pl.String(),
    "node_key": pl.String(),
    "role": pl.String(),
}
"""One row per rule × node whose people it pays × role."""
CREDIT_SPLIT: Columns = {
    "plan_version": pl.String(),
    "record_id": pl.String(),
    "user_id": pl.String(),
    "share": _RATE,
    "reason": pl.String(),
}
DRAW: Columns = {
    "plan_version": pl.String(),
    "user_id": pl.String(),
    "period_kind": pl.String(),
    "monthly_cents": pl.Int64(),
    "from_on": pl.Date(),
    "until_on": pl.Date(),
    "is_recoverable": pl.Boolean(),
}
LEADERBOARD: Columns = {
    "board_id": pl.String(),
    "board_no": pl.Int32(),
    "name_en": pl.String(),
    "name_zh": pl.String(),
    "metric": pl.String(),
    "metric_name_en": pl.String(),
    "metric_name_zh": pl.String(),
    "unit": pl.String(),
    "period_kind": pl.String(),
    "node_kind": pl.String(),
    "rank_by": pl.String(),
    "minimum_metric": pl.String(),
    "minimum_name_en": pl.String(),
    "minimum_name_zh": pl.String(),
    "minimum_hundredths": pl.Int64(),
    "is_for_reps": pl.Boolean(),
    "is_for_managers": pl.Boolean(),
    "is_for_leaders": pl.Boolean(),
}
"""One row per board × kind of period."""
PAY_INPUTS: dict[str, Columns] = {
    "incentive_rule": INCENTIVE_RULE,
    "incentive_tier": INCENTIVE_TIER,
    "incentive_condition": INCENTIVE_CONDITION,
    "incentive_scope": INCENTIVE_SCOPE,
    "credit_split": CREDIT_SPLIT,
    "draw": DRAW,
    "leaderboard": LEADERBOARD,
}


def write_pay_inputs(workspace: Workspace, plans: Iterable[Plan], boards: Iterable[Leaderboard], as_of: date) -> None:
    """Write all tables; those of plans for every version that was decided by ``as_of``."""
    known = [version for plan in plans for version in resolved(plan) if version.decided_on <= as_of]
    for name, rows in {**incentive_rows(known), "leaderboard": leaderboard_rows(boards)}.items():
        write_input(workspace, name, pl.DataFrame(rows, schema=PAY_INPUTS[name], orient="row"))


def incentive_rows(versions: Iterable[PlanVersion]) -> dict[str, list[Row]]:
    """Rows of the tables of rules, splits and draws, by table."""
    tables: dict[str, list[Row]] = {name: [] for name in PAY_INPUTS if name != "leaderboard"}
    for version in versions:
        for name, row in (*_rules(version), *_splits_and_draws(version)):
            tables[name].append({"plan_version": version.id, **row})
    return tables


def leaderboard_rows(boards: Iterable[Leaderboard]) -> list[Row]:
    """Rows of the table of boards, in the order of the configuration."""
    rows = []
    for number, board in enumerate(boards, start=1):
        minimum = (board.minimum.metric or board.metric) if board.minimum else None
        row = {
            "board_id": board.id,
            "board_no": number,
            "name_en": board.name_en,
            "name_zh": board.name_zh,
            **_metric(board.metric),
            "node_kind": board.node_kind,
            "rank_by": board.rank_by,
            "minimum_metric": minimum,
            "minimum_name_en": metric_name(minimum)[0] if minimum else None,
            "minimum_name_zh": metric_name(minimum)[1] if minimum else None,
            "minimum_hundredths": hundredths(board.minimum.at_least) if board.minimum else None,
            **{f"is_for_{role}s": role in board.roles for role in ("rep", "manager", "leader")},
        }
        rows += [{**row, "period_kind": period} for period in board.periods]
    return rows


def metric_name(metric: str) -> tuple[str, str]:
    """English and Chinese name of a plan metric: as in the glossary; a member of a family by its own name."""
    family, _, member = metric.partition(":")
    names = {one.key: one.name for domain in load_domains().values() for one in domain.metrics}
    if member:
        return {"entered": (f"entered {member}", f"进入{member}"), "activities": (member, member)}[family]
    return (names[metric].en, names[metric].zh) if metric in names else (metric.replace("_", " "), metric)


def hundredths(value: Decimal | None) -> int | None:
    """Whole hundredths of an amount, a count or a percentage."""
    return None if value is None else int(value * 100)


def _rules(version: PlanVersion) -> Iterator[tuple[str, Row]]:
    for number, rule in enumerate(version.whole.incentives, start=1):
        if not rule.active:
            continue
        of_rule = {"rule_id": rule.id}
        yield (
            "incentive_rule",
            of_rule
            | {
                "rule_no": number,
                "name_en": rule.name_en,
                "name_zh": rule.name_zh,
                "kind": rule.kind,
                **_metric(rule.metric),
                "period_kind": rule.period,
                "tier_mode": "whole" if rule.kind == "bonus" else rule.tier_mode,
                "target_pay_cents": hundredths(rule.target_pay),
                "per_unit_cents": hundredths(rule.per_unit),
                "cap_cents": hundredths(rule.cap),
                "has_clawback": rule.clawback,
            },
        )
        following = [*(tier.at_least for tier in rule.tiers[1:]), None]
        for place, (tier, next_at_least) in enumerate(zip(rule.tiers, following, strict=False), start=1):
            own = {"tier_no": place, "at_least": tier.at_least, "next_at_least": next_at_least, "rate": tier.rate}
            yield "incentive_tier", of_rule | own
        for place, condition in enumerate(rule.conditions, start=1):
            own = {
                "condition_no": place,
                **_metric(condition.metric),
                "attainment_at_least": condition.attainment_at_least,
                "value_at_least_hundredths": hundredths(condition.value_at_least),
            }
            yield "incentive_condition", of_rule | own
        for node_key in dict.fromkeys(rule.applies_to):
            for role in dict.fromkeys(rule.roles):
                yield "incentive_scope", of_rule | {"node_key": node_key, "role": role}


def _splits_and_draws(version: PlanVersion) -> Iterator[tuple[str, Row]]:
    for split in version.whole.splits:
        yield "credit_split", split.model_dump()
    for draw in version.whole.draws:
        own = {"period_kind": draw.period, "monthly_cents": hundredths(draw.monthly)}
        yield (
            "draw",
            own
            | {
                "user_id": draw.user_id,
                "from_on": draw.from_on,
                "until_on": draw.until_on,
                "is_recoverable": draw.recoverable,
            },
        )


def _metric(metric: str) -> Row:
    known = plan_metric(metric)
    name_en, name_zh = metric_name(metric)
    return {
        "metric": metric,
        "metric_name_en": name_en,
        "metric_name_zh": name_zh,
        "unit": known.unit if known else "count",
    }
