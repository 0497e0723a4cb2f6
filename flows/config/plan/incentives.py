"""Commission and bonus rules of a plan version, as people are paid by them."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.config.model import ConfigModel
from flows.config.plan.values import Amount, Node, Rate, Share

PayPeriod = Literal["month", "quarter", "half", "year"]


class Tier(ConfigModel):
    """From this attainment on, this rate of the base is paid."""

    at_least: Rate
    rate: Rate


class Condition(ConfigModel):
    """What must hold in the period before a rule pays: the attainment of another metric, or the value of one."""

    metric: str
    attainment_at_least: Rate | None = None
    value_at_least: Rate | None = None

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.attainment_at_least is None) == (self.value_at_least is None):
            raise ValueError("expected either attainment_at_least or value_at_least")
        return self


class IncentiveRule(ConfigModel):
    """How one component of variable pay comes about.

    Attributes:
        kind: ``commission``: tiers × the metric's value; ``bonus``: the tier's rate × ``target_pay``, by attainment;
            ``kicker``: ``per_unit`` for each unit of a metric that counts, or a rate on its value, under conditions.
        metric: what is paid on; a plan metric.
        period: over which attainment is measured and tiers are applied, anew in each.
        tiers: ascending; each from an attainment on. ``marginal``: a rate holds for the part of the value between its
            threshold and the next; ``whole``: the highest reached rate holds for all of it.
        cap: the most that the rule pays a person and period.
        applies_to: nodes whose reps are paid by it.
        roles: roles of the people who are paid by it; managers and leaders are paid on their node's result.
        clawback: whether what was paid on a contract or deal that is cancelled later is taken back, in the period in
            which it was cancelled, at the average rate that was paid on it.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    name_en: str
    name_zh: str
    kind: Literal["commission", "bonus", "kicker"] = "commission"
    metric: str
    period: PayPeriod = "quarter"
    tiers: tuple[Tier, ...] = ()
    tier_mode: Literal["marginal", "whole"] = "marginal"
    target_pay: Amount | None = None
    per_unit: Amount | None = None
    cap: Amount | None = None
    conditions: tuple[Condition, ...] = ()
    applies_to: tuple[Node, ...] = ("company",)
    roles: tuple[Literal["rep", "manager", "leader"], ...] = ("rep",)
    clawback: bool = True

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        thresholds = [tier.at_least for tier in self.tiers]
        if thresholds != sorted(set(thresholds)):
            raise ValueError("expected tiers in ascending order of at_least, each once")
        if self.kind == "bonus" and self.target_pay is None:
            raise ValueError("a bonus needs target_pay")
        if self.kind == "kicker" and bool(self.tiers) == (self.per_unit is not None):
            raise ValueError("a kicker needs either per_unit or tiers")
        if self.kind != "kicker" and (not self.tiers or self.per_unit is not None):
            raise ValueError(f"a {self.kind} needs tiers, and no per_unit")
        return self


class Split(ConfigModel):
    """Credit for one deal or contract that is shared: who has which part; the owner keeps what is left of 1."""

    record_id: str
    user_id: str
    share: Share
    reason: str


class Draw(ConfigModel):
    """An advance on variable pay: so much a month, set off against what is earned in the pay period; the rest is owed.

    ``recoverable``: what is not earned is carried into the next period; otherwise it is forgiven (a guarantee).
    """

    user_id: str
    monthly: Amount
    from_on: date
    until_on: date
    recoverable: bool = True
