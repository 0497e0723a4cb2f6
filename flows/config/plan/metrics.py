"""What a plan may set targets for: exactly what the marts measure, with its unit and whether parts add up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

Unit = Literal["money", "count", "percent"]


@dataclass(frozen=True)
class PlanMetric:
    """A metric that ``mart_target_attainment`` computes.

    Attributes:
        key: its name in plans and marts; ``entered:<stage>`` and ``activities:<kind>`` name one stage, one kind.
        unit: money (reporting currency), count, or percent (a rate × 100, two places).
        is_additive: whether periods and nodes add up. What does not (a rate) is not decomposed: every part has the
            target of the whole, unless the plan gives it one of its own.
        is_activity: a step on the way and not a result; its targets may be derived backwards through the funnel.
    """

    key: str
    unit: Unit
    is_additive: bool = True
    is_activity: bool = False


_METRICS = {
    metric.key: metric
    for metric in (
        PlanMetric("bookings", "money"),
        PlanMetric("margin", "money"),
        PlanMetric("cash_due", "money"),
        PlanMetric("cash_collected", "money"),
        PlanMetric("collection_rate", "percent", is_additive=False),
        PlanMetric("won_count", "count"),
        PlanMetric("new_customers", "count"),
        PlanMetric("created_count", "count", is_activity=True),
        PlanMetric("leads", "count", is_activity=True),
        PlanMetric("qualified_leads", "count", is_activity=True),
        PlanMetric("activities", "count", is_activity=True),
        PlanMetric("store_visits", "count", is_activity=True),
        PlanMetric("numeric_distribution", "percent", is_additive=False),
        PlanMetric("sell_through", "percent", is_additive=False),
    )
}
_FAMILIES = {"entered": "deals that enter a stage", "activities": "activities of a kind"}
_MEMBER = re.compile(r"(?P<family>entered|activities):(?P<member>\S(?:.*\S)?)")


def plan_metric(key: str) -> PlanMetric | None:
    """The metric of this name; None where the marts measure nothing of the kind."""
    if _MEMBER.fullmatch(key):
        return PlanMetric(key, "count", is_activity=True)
    return _METRICS.get(key)


def members_named(configured: Any) -> set[str]:
    """The stages and kinds of activities that a configuration names as metrics, wherever it does.

    Args:
        configured: a configuration as plain mappings and sequences (``model_dump``).
    """
    if isinstance(configured, Mapping):
        named = {str(value) for key, value in configured.items() if key in ("metric", "to") and _is_member(value)}
        return named.union(*map(members_named, configured.values()))
    if isinstance(configured, list | tuple):
        return set().union(*map(members_named, configured))
    return set()


def _is_member(value: Any) -> bool:
    return isinstance(value, str) and _MEMBER.fullmatch(value) is not None


def known_metrics() -> tuple[str, ...]:
    """Names for messages: every metric, and the families with a place for their member."""
    return (*_METRICS, *(f"{family}:<{'stage' if family == 'entered' else 'kind'}>" for family in _FAMILIES))


def not_measured() -> str:
    """What is wrong with a metric that no mart computes."""
    return f"no mart computes this metric; expected one of {', '.join(known_metrics())}"


def _measured(metric: str) -> str:
    if plan_metric(metric) is None:
        raise ValueError(not_measured())
    return metric


Metric = Annotated[str, AfterValidator(_measured)]
"""The name of a plan metric."""


def rate_metrics() -> tuple[str, ...]:
    """Metrics whose parts do not add up."""
    return tuple(key for key, metric in _METRICS.items() if not metric.is_additive)
