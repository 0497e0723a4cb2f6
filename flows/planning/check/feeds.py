"""Whether a company's configuration feeds a metric: a target of what nobody delivers is measured as 0 for ever."""

from collections.abc import Collection
from dataclasses import dataclass

from flows.config.loader import Config
from flows.config.plan.metrics import known_metrics, plan_metric
from flows.planning.check.verdicts import Finding
from schemas.registry import ENTITIES

_DUE = (("contract",), ("payment.due_on", "contract.payment_terms"))
_PAID = ("payment.paid_on", "payment.paid_amount")
_NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "cash_due": _DUE,
    "cash_collected": (_PAID,),
    "collection_rate": (*_DUE, _PAID),
    "won_count": (("opportunity",),),
    "created_count": (("opportunity",),),
    "entered": (("opportunity.stage",),),
    "leads": (("lead",),),
    "qualified_leads": (("lead",),),
    "activities": (("activity",),),
    "store_visits": (("store_visit",),),
    "numeric_distribution": (("store",), ("store_visit",)),
    "sell_through": (("store",), ("store_visit.sku_sold",), ("store_visit.sku_stocked",)),
}
"""What each metric is computed from: of every group, one entity (or column of it) has to be delivered."""
_OF_BOOKINGS = {"bookings": "amount", "margin": "cost", "new_customers": "account_id"}
CHANNEL = ("store_visits", "numeric_distribution", "sell_through")


@dataclass(frozen=True)
class Feeds:
    """What sources deliver: the columns that are filled, by entity; and how the company books."""

    columns: dict[str, frozenset[str]]
    bookings_from: str
    stages: tuple[str, ...]
    is_channel: bool

    @classmethod
    def of(cls, config: Config) -> "Feeds":
        """From sources.yaml: of a template, every column that its sheets may have."""
        columns: dict[str, frozenset[str]] = {}
        for source in config.sources.sources.values():
            filled = frozenset(ENTITIES[source.entity].columns()) if source.template else frozenset(source.columns)
            columns[source.entity] = columns.get(source.entity, frozenset()) | filled
        stages = tuple(stage.key for stage in config.stages.stages)
        return cls(columns, config.settings.bookings_from, stages, "channel" in config.flavours)

    def judge(self, metric: str, kinds_seen: Collection[str] | None) -> Finding:
        """Whether the metric can be measured.

        Args:
            metric: as the plan names it.
            kinds_seen: kinds of activities in the data, in small letters; None where there are none yet.
        """
        if plan_metric(metric) is None:
            return Finding("M", "fail", "metric_unknown", {"metric": metric, "known": ", ".join(known_metrics())})
        family, _, member = metric.partition(":")
        if family == "entered" and member and member.lower() not in [stage.lower() for stage in self.stages]:
            return Finding("M", "fail", "stage_unknown", {"stage": member, "known": ", ".join(self.stages)})
        if metric in CHANNEL and not self.is_channel:
            return Finding("M", "fail", "not_channel", {"metric": metric})
        if metric == "margin" and self.bookings_from == "opportunity":
            return Finding("M", "fail", "margin_of_deals", {})
        needs = self._needs(family)
        lacking = [" or ".join(group) for group in needs if not any(self._delivers(one) for one in group)]
        if lacking:
            return Finding("M", "fail", "not_fed", {"metric": metric, "lacking": ", ".join(lacking)})
        if family == "activities" and member and kinds_seen and member.strip().lower() not in kinds_seen:
            seen = ", ".join(sorted(kinds_seen))
            return Finding("M", "fail", "kind_unseen", {"kind": member, "seen": seen})
        origin = ", ".join(
            dict.fromkeys(one.partition(".")[0] for group in needs for one in group if self._delivers(one))
        )
        return Finding("M", "pass", "fed", {"metric": metric, "entity": origin})

    def _needs(self, metric: str) -> tuple[tuple[str, ...], ...]:
        if metric in _OF_BOOKINGS:
            return ((f"{self.bookings_from}.{_OF_BOOKINGS[metric]}",),)
        return _NEEDS[metric]

    def _delivers(self, one: str) -> bool:
        entity, _, column = one.partition(".")
        return entity in self.columns and (not column or column in self.columns[entity])
