"""``plans/<year>.yaml``: the sales plan of a fiscal year, its versions, and how it is decomposed, checked and paid."""

from flows.config.plan.incentives import IncentiveRule, Split
from flows.config.plan.metrics import PlanMetric, plan_metric
from flows.config.plan.model import Plan
from flows.config.plan.versions import PlanVersion, resolved

__all__ = ["IncentiveRule", "Plan", "PlanMetric", "PlanVersion", "Split", "plan_metric", "resolved"]
