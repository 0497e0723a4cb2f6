"""Whether a company's configuration feeds a metric: a target of what nobody delivers is measured as 0 for ever."""

from collections.abc import Collection
from dataclasses import dataclass

from flows.config.loader import Config
from flows.config.plan.metrics import known_metrics, plan_metric
from flows.planning.smart_model import Finding
from schemas.registry import ENTITIES

_ENTITIES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "cash_due": (("payment", ("due_on", "amount")),),
    "cash_collected": (("payment", ("paid_on",)),),
    "collection_rate": (("payment", ("due_on", "amount", "paid_on")),),
    "won_count": (("opportunity", ()),),
    "created_count": (("opportunity", ()),),
    "entered": (("opportunity", ("stage",)),),
    "leads": (("lead", ()),),
    "qualified_leads": (("lead", ()),),
    "activities": (("activity", ()),),
    "store_visits": (("store_visit", ()),),
    "numeric_distribution": (("store", ()), ("store_visit", ())),
    "sell_through": (("store", ()), ("store_visit", ())),
}
"""What each metric is computed from: entities, and the columns of them without which nothing comes of it."""
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
        lacking = self._lacking(family)
        if lacking:
            return Finding("M", "fail", "not_fed", {"metric": metric, "lacking": ", ".join(lacking)})
        if family == "activities" and member and kinds_seen and member.strip().lower() not in kinds_seen:
            seen = ", ".join(sorted(kinds_seen))
            return Finding("M", "fail", "kind_unseen", {"kind": member, "seen": seen})
        return Finding("M", "pass", "fed", {"metric": metric, "entity": ", ".join(e for e, _ in self._needs(family))})

    def _needs(self, metric: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        if metric in ("bookings", "margin", "new_customers"):
            column = {"margin": ("cost",), "new_customers": ("account_id",)}.get(metric, ("amount",))
            return ((self.bookings_from, column),)
        return _ENTITIES[metric]

    def _lacking(self, metric: str) -> list[str]:
        """Entities that no source delivers, and columns that none fills."""
        found = []
        for entity, columns in self._needs(metric):
            filled = self.columns.get(entity)
            if filled is None:
                found.append(entity)
            else:
                found += [f"{entity}.{column}" for column in columns if column not in filled]
        return found
