"""The plan of one fiscal year as it is written: goals, and versions that say what was to be reached from a day on.

What a version leaves unsaid it takes from the one before: ``flows.config.plan.versions``.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.config.model import ConfigModel, expect_once
from flows.config.plan.incentives import Draw, IncentiveRule, Split
from flows.config.plan.values import Amount, Currency, Growth, Id, Name, Node, PeriodName, Rate, Share, Text

PlanFlavour = Literal["project", "channel", "saas", "small"]


class Responsible(ConfigModel):
    """What has one directly responsible individual (``dri``, a user_id) and a deadline: see the check."""

    id: Id
    name: Text
    dri: Name | None = None
    due_on: date | None = None
    metric: Name | None = None
    """The metric it is to move."""


class Action(Responsible):
    """One thing to be done."""


class Initiative(Responsible):
    """What is undertaken for a goal."""

    budget: Amount | None = None
    actions: tuple[Action, ...] = ()


class Goal(Responsible):
    """What is wanted; ``parent`` is the goal that it serves."""

    parent: Name | None = None
    initiatives: tuple[Initiative, ...] = ()


class Seasonality(ConfigModel):
    """Weights of the fiscal year's months.

    Attributes:
        by: ``history``: each month's share in past years; ``given``: ``weights``; ``blend``: both, ``history_share`` of
            the one; ``working_days``: by working days; ``flat``: the same for each month, only where asked for.
        years: at most so many past years; fewer where there are fewer.
        weights: twelve for months or four for quarters (within a quarter by working days), in order of the fiscal year;
            any positive scale.
    """

    by: Literal["history", "given", "blend", "working_days", "flat"] = "history"
    years: Annotated[int, Field(ge=1, le=10)] = 3
    weights: tuple[Rate, ...] | None = None
    history_share: Share = Decimal("0.5")

    @model_validator(mode="after")
    def _has_weights(self) -> Self:
        if (self.by in ("given", "blend")) != (self.weights is not None):
            raise ValueError("expected weights with by: given or blend, and only there")
        if self.weights is not None and (len(self.weights) not in (4, 12) or not sum(self.weights)):
            raise ValueError(f"expected 12 weights (months) or 4 (quarters), not all 0; found {len(self.weights)}")
        return self


class Proposals(ConfigModel):
    """Three ways to a target; each that is asked for is shown beside the chosen one.

    Attributes:
        growth: last fiscal year's result × (1 + growth).
        trend: whether the line through past years' results is carried on.
        capacity: whether what the people can do is summed: ``quota_per_head`` × ramp × active share × expected
            attainment.
        blend: weight of each way in the chosen target, where the target states no base; any positive scale.
    """

    growth: Growth | None = None
    trend: bool = False
    capacity: bool = False
    blend: dict[Literal["growth", "trend", "capacity"], Rate] = {}

    @model_validator(mode="after")
    def _blends_what_is_proposed(self) -> Self:
        proposed = {"growth": self.growth is not None, "trend": self.trend, "capacity": self.capacity}
        missing = [way for way in self.blend if not proposed[way]]
        if missing or (self.blend and not sum(self.blend.values())):
            raise ValueError(f"expected weights of ways that are proposed, not all 0; not proposed: {missing}")
        return self


class Target(ConfigModel):
    """A year's target of one metric at one node; given (``base``), or blended from ``proposals``.

    ``stretch`` is an amount, ``stretch_ratio`` a multiple of the base. Below its node, it is split as the version says.
    Whether a mart computes ``metric`` is looked at with the whole plan (:mod:`flows.config.plan.faults`), so that a
    misspelt one hides nothing else that is wrong with the entry.
    """

    metric: Name
    node: Node = "company"
    base: Amount | None = None
    stretch: Amount | None = None
    stretch_ratio: Annotated[Rate, Field(ge=1)] | None = None
    currency: Currency | None = None
    proposals: Proposals | None = None
    seasonality: Seasonality | None = None
    goal: Name | None = None
    segment: Name | None = None
    dri: Name | None = None
    due_on: date | None = None

    @model_validator(mode="after")
    def _has_a_base(self) -> Self:
        if self.base is None and not (self.proposals and self.proposals.blend):
            raise ValueError("expected base, or proposals with a blend")
        if self.stretch is not None and self.stretch_ratio is not None:
            raise ValueError("expected either stretch or stretch_ratio")
        if self.stretch is not None and self.base is not None and self.stretch < self.base:
            raise ValueError("expected stretch of at least base")
        return self


class Pin(ConfigModel):
    """A cell set by hand: it stays, and the rest absorbs the difference."""

    metric: Name
    node: Node
    period: PeriodName
    base: Amount
    stretch: Amount | None = None
    reason: Text

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.stretch is not None and self.stretch < self.base:
            raise ValueError("expected stretch of at least base")
        return self


class Withdrawal(ConfigModel):
    """What a version before asked for and this one does not: a target, or with a ``period`` a hand-set cell."""

    metric: Name
    node: Node = "company"
    segment: Name | None = None
    period: PeriodName | None = None
    reason: Text

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.segment is not None and self.period is not None:
            raise ValueError("expected a segment (of a target) or a period (of a pin), not both")
        return self

    @property
    def withdraws(self) -> tuple[str, tuple[str | None, ...]]:
        """Section and key of the entry that no longer holds."""
        if self.period is not None:
            return "pins", (self.metric, self.node, self.period)
        return "targets", (self.metric, self.node, self.segment)


class Person(ConfigModel):
    """A rep, or a hire to come (any id that stays until the person has one).

    Attributes:
        ramp: a curve of ``ramps``; who was hired before its last month is past is not fully productive yet.
        quota: share of a full quota.
        active_share: share of working days spent selling.
        potential: of the accounts or territory; 1 is usual.
        counts_from: first day that the plan counts on the person; otherwise the first day at work.
    """

    user_id: Name
    name: Name | None = None
    region: Name | None = None
    team: Name | None = None
    hired_on: date | None = None
    left_on: date | None = None
    counts_from: date | None = None
    ramp: Name | None = None
    quota: Rate = Decimal(1)
    active_share: Share = Decimal(1)
    potential: Rate = Decimal(1)


class Ramp(ConfigModel):
    """Productivity by month of tenure: the first value in the first month; full after the last."""

    id: Name
    shares: Annotated[tuple[Share, ...], Field(min_length=1)]


class Capacity(ConfigModel):
    """What a full head is counted on for: a year's quota, and the share of it that people usually reach."""

    metric: Name
    quota_per_head: Amount
    expected_attainment: Rate = Decimal(1)


class FunnelStep(ConfigModel):
    """How many of ``metric`` it takes for one of ``to``; ``history`` reads the funnel's own cohorts.

    Attributes:
        rate: share of ``metric`` that becomes ``to``.
        value: what one of ``metric`` is worth of ``to``, where that is money (the mean deal).
        lead_days: days from the one to the other: by so much earlier it has to happen.
    """

    metric: Name
    to: Name
    rate: Share | Literal["history"] | None = None
    value: Amount | Literal["history"] | None = None
    lead_days: Annotated[int, Field(ge=0)] | Literal["history"] = "history"

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.rate is None) == (self.value is None):
            raise ValueError("expected either rate or value")
        if self.rate == 0 or self.value == 0:
            raise ValueError("expected more than 0: nothing would ever come of it")
        return self


class Check(ConfigModel):
    """From when the check of a plan objects."""

    max_growth: Growth = Decimal("0.5")
    max_over_assignment: Rate = Decimal("0.2")
    min_capacity: Rate = Decimal("0.9")
    min_coverage: Rate = Decimal(3)
    min_probability: Share = Decimal("0.2")


class Version(ConfigModel):
    """What holds from the first day of a fiscal month on, who decided it, and why.

    ``decided_on`` is the night from which planloop knows it; by default the day it takes effect.
    """

    id: Id
    effective_on: date
    decided_on: date | None = None
    decided_by: Name
    reason: Text
    targets: tuple[Target, ...] = ()
    pins: tuple[Pin, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    people: tuple[Person, ...] = ()
    people_from: Literal["headcount"] | None = None
    ramps: tuple[Ramp, ...] = ()
    seasonality: Seasonality | None = None
    split: Literal["capacity", "history", "given", "equal"] | None = None
    split_weights: dict[Node, Rate] | None = None
    capacity: tuple[Capacity, ...] = ()
    funnel: tuple[FunnelStep, ...] | None = None
    incentives: tuple[IncentiveRule, ...] = ()
    splits: tuple[Split, ...] = ()
    draws: tuple[Draw, ...] = ()
    budget_rates: dict[Currency, Rate] | None = None
    check: Check | None = None


class Plan(ConfigModel):
    """One fiscal year, named as in ``dim_date``: by the calendar year in which it ends."""

    year: Annotated[int, Field(ge=2000, le=2100)]
    flavour: PlanFlavour = "project"
    goals: tuple[Goal, ...] = ()
    versions: Annotated[tuple[Version, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        expect_once("version id", [version.id for version in self.versions])
        days = [version.effective_on for version in self.versions]
        if days != sorted(set(days)):
            raise ValueError("expected versions in order of effective_on, no two on one day")
        return self
