"""``alerts.yaml``: which deviation is worth a mail, and to whom."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.config.model import ConfigModel, expect_once
from flows.config.settings import Share

NodeKind = Literal["company", "region", "team", "rep"]
Ratio = Annotated[float, Field(gt=0)]


class AlertRule(ConfigModel):
    """Pace below plan: ``pace_index`` under ``warn_below`` opens an alert, above ``clear_above`` ends it.

    Between the two an open alert stays open, so that a node that wavers round the limit is not mailed every night.
    Nothing is said before ``min_elapsed`` of the period's working days have passed.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    metric: Literal["bookings", "won_count"]
    kind: Literal["pace_below"]
    period_kind: Literal["month", "quarter", "year"]
    node_kinds: Annotated[tuple[NodeKind, ...], Field(min_length=1)]
    warn_below: Ratio = 0.9
    critical_below: Ratio = 0.75
    clear_above: Ratio = 0.95
    min_elapsed: Share = 0.2

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if not self.critical_below <= self.warn_below <= self.clear_above:
            raise ValueError("expected critical_below <= warn_below <= clear_above")
        return self


class Alerts(ConfigModel):
    """All rules."""

    rules: tuple[AlertRule, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        expect_once("rule id", [rule.id for rule in self.rules])
        return self
