"""Commission and bonus rules of a plan version, as people are paid by them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from flows.config.model import ConfigModel
from flows.config.plan.metrics import Metric, plan_metric
from flows.config.plan.values import Amount, Name, Node, Rate, Share, Text, exact_amount

PayPeriod = Literal["month", "quarter", "half", "year"]
Role = Literal["rep", "manager", "leader"]
_PLACES = Decimal("0.000001")


def _six_places(value: Decimal) -> Decimal:
    if value != value.quantize(_PLACES):
        raise ValueError("expected at most six decimal places, such as 0.0325 or 3.25%")
    return value


def _level(written: Any) -> Decimal:
    """An amount, a count, or a percentage: 90 and 90% are the same here, as in targets of such metrics."""
    return exact_amount(str(written).strip().removesuffix("%") if isinstance(written, str) else written)


ExactRate = Annotated[Rate, AfterValidator(_six_places)]
ExactShare = Annotated[Share, AfterValidator(_six_places)]
Level = Annotated[Decimal, BeforeValidator(_level), Field(ge=0)]


class Tier(ConfigModel):
    """From this attainment on, this rate is paid: of the base; for a bonus, of ``target_pay``."""

    at_least: ExactRate
    rate: ExactRate


class Condition(ConfigModel):
    """What must hold in the period before a rule pays: the attainment of a metric, or its value.

    The value is money, a count or, for rates, a percentage, as a target of the metric would state it.
    """

    metric: Metric
    attainment_at_least: ExactRate | None = None
    value_at_least: Level | None = None

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.attainment_at_least is None) == (self.value_at_least is None):
            raise ValueError("expected either attainment_at_least or value_at_least")
        return self


class IncentiveRule(ConfigModel):
    """How one component of variable pay comes about.

    Attributes:
        kind: ``commission``: tiers × the metric's value; ``bonus``: the rate of the highest tier reached ×
            ``target_pay``; ``kicker``: ``per_unit`` for each unit of a metric that counts, or tiers on one in money.
        metric: what is paid on; a plan metric.
        period: over which attainment is measured and tiers are applied, anew in each.
        tiers: ascending; each from an attainment on. ``marginal``: a rate holds for the part of the value between its
            threshold and the next; ``whole``: the highest reached rate holds for all of it.
        cap: the most that the rule pays a person and period.
        conditions: all must hold in the period, otherwise the rule pays nothing in it.
        applies_to: nodes whose reps are paid by it.
        roles: roles of the people who are paid by it; managers and leaders are paid on their node's result.
        clawback: whether what was paid on a contract or deal that is cancelled later is taken back, in the period in
            which it was cancelled, at the average rate that was paid on it; of :data:`TAKEN_BACK` metrics.
        active: false in a later version ends the rule.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    name_en: Name
    name_zh: Name
    kind: Literal["commission", "bonus", "kicker"] = "commission"
    metric: Metric
    period: PayPeriod = "quarter"
    tiers: tuple[Tier, ...] = ()
    tier_mode: Literal["marginal", "whole"] = "marginal"
    target_pay: Amount | None = None
    per_unit: Amount | None = None
    cap: Amount | None = None
    conditions: tuple[Condition, ...] = ()
    applies_to: Annotated[tuple[Node, ...], Field(min_length=1)] = ("company",)
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("rep",)
    clawback: bool = True
    active: bool = True

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        thresholds = [tier.at_least for tier in self.tiers]
        if thresholds != sorted(set(thresholds)):
            raise ValueError("expected tiers in ascending order of at_least, each once")
        if (self.kind == "bonus") != (self.target_pay is not None):
            raise ValueError("a bonus needs target_pay, and only a bonus")
        if self.kind == "kicker" and bool(self.tiers) == (self.per_unit is not None):
            raise ValueError("a kicker needs either per_unit or tiers")
        if self.kind != "kicker" and (not self.tiers or self.per_unit is not None):
            raise ValueError(f"a {self.kind} needs tiers, and no per_unit")
        return self

    @model_validator(mode="after")
    def _is_paid_on_what_it_can_be(self) -> Self:
        known = plan_metric(self.metric)
        unit = known.unit if known else ""
        if self.per_unit is not None and unit != "count":
            raise ValueError(f"per_unit pays for each of a metric that counts; {self.metric} is in {unit}")
        if self.kind != "bonus" and self.tiers and unit != "money":
            raise ValueError(
                f"tiers of a {self.kind} are rates of money, and {self.metric} is a {unit}; "
                "expected a metric in money, kind: bonus with target_pay, or per_unit for a metric that counts"
            )
        return self


class Split(ConfigModel):
    """Credit for one deal or contract that is shared: who has which part; the owner keeps what is left of 1."""

    record_id: Name
    user_id: Name
    share: ExactShare
    reason: Text


class Draw(ConfigModel):
    """An advance on variable pay: so much a month, set off against what is earned in the pay period; the rest is owed.

    Attributes:
        monthly: for each fiscal month from ``from_on`` to ``until_on``; for a part of a month by calendar days.
        period: at whose end the advances of its months are set off against what was earned by then.
        recoverable: what is not earned is carried into the next period; otherwise it is forgiven (a guarantee).
    """

    user_id: Name
    monthly: Amount
    from_on: date
    until_on: date
    period: PayPeriod = "quarter"
    recoverable: bool = True

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.until_on < self.from_on:
            raise ValueError("expected until_on on from_on or later")
        return self


SHARED = ("bookings", "margin", "won_count", "cash_collected")
"""Metrics whose records a split divides: of a contract or deal also what comes in for it."""
TAKEN_BACK = ("bookings", "margin", "won_count")
"""Metrics whose records can be cancelled after they were paid on."""


def clawback_fault(rule: IncentiveRule) -> str | None:
    """What was expected of a rule that asks for a clawback of what is never cancelled."""
    stated = rule.active and rule.clawback and "clawback" in rule.model_fields_set
    if not stated or rule.metric in TAKEN_BACK:
        return None
    return (
        f"expected clawback with {_or(TAKEN_BACK)}, whose deals and contracts can be cancelled, found it with "
        f"{rule.metric}; leave clawback out, or say false"
    )


def splits_fault(rules: Iterable[IncentiveRule]) -> str | None:
    """What was expected where there are splits, and no rule pays reps on what they divide."""
    paid = [rule.metric for rule in rules if rule.active and "rep" in rule.roles]
    if not paid or set(paid).intersection(SHARED):
        return None
    return (
        f"expected a rule that pays reps on {_or(SHARED)} beside splits, found only {', '.join(dict.fromkeys(paid))}, "
        "which no split divides; take the splits out, or pay on what they divide"
    )


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def pay_faults(splits: Iterable[Split], draws: Iterable[Draw]) -> list[tuple[str, str, str]]:
    """What nobody can be paid by, in the sections of a whole version: section, record or person, what was expected.

    A later version adds splits and draws to those of the version before, so each section by itself may be sound.
    """
    faults = []
    shares: dict[str, Decimal] = defaultdict(Decimal)
    for split in splits:
        shares[split.record_id] += split.share
    faults += [
        ("splits", record, f"expected shares of at most 1 in all, found {share}; the owner keeps what is left")
        for record, share in shares.items()
        if share > 1
    ]
    by_person: dict[str, list[Draw]] = defaultdict(list)
    for draw in draws:
        by_person[draw.user_id].append(draw)
    for person, theirs in by_person.items():
        inorder = sorted(theirs, key=lambda draw: draw.from_on)
        faults += [
            (
                "draws",
                person,
                f"expected draws one after the other, found one from {later.from_on} before the one from "
                f"{earlier.from_on} ends on {earlier.until_on}",
            )
            for earlier, later in zip(inorder, inorder[1:], strict=False)
            if later.from_on <= earlier.until_on
        ]
        if len({draw.period for draw in theirs}) > 1:
            faults.append(("draws", person, "expected one pay period for all draws of a person, found several"))
    return faults
