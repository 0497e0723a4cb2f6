"""``leaderboards`` of settings.yaml: who stands where, by which metric, and from which volume on a place is given."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from flows.config.model import ConfigModel, expect_once
from flows.config.plan.incentives import Level, PayPeriod, Role
from flows.config.plan.metrics import Metric


class Minimum(ConfigModel):
    """From which volume on somebody is given a place: so much of ``metric`` in the period (by default, the board's)."""

    metric: Metric | None = None
    at_least: Level


class Leaderboard(ConfigModel):
    """One board (龙虎榜).

    Attributes:
        periods: a board of its own for each.
        rank_by: the metric's value, or its attainment of the target.
        minimum: who is below it is listed without a place, and the board says why.
        node_kind: what is ranked.
        roles: of the people ranked; for reps only.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    name_en: str
    name_zh: str
    metric: Metric
    periods: Annotated[tuple[PayPeriod, ...], Field(min_length=1)] = ("month", "quarter", "year")
    rank_by: Literal["value", "attainment"] = "value"
    minimum: Minimum | None = None
    node_kind: Literal["rep", "team", "region"] = "rep"
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("rep",)

    @model_validator(mode="after")
    def _names_periods_once(self) -> Self:
        expect_once("period", self.periods)
        return self


def _named_once(boards: tuple[Leaderboard, ...]) -> tuple[Leaderboard, ...]:
    expect_once("board", [board.id for board in boards])
    return boards


USUAL_BOARDS = (
    Leaderboard(id="bookings", name_en="Bookings", name_zh="签约龙虎榜", metric="bookings"),
    Leaderboard(
        id="bookings_attainment",
        name_en="Attainment of bookings",
        name_zh="签约达成榜",
        metric="bookings",
        rank_by="attainment",
    ),
    Leaderboard(
        id="teams_attainment",
        name_en="Attainment of teams",
        name_zh="团队达成榜",
        metric="bookings",
        rank_by="attainment",
        node_kind="team",
    ),
)
"""What every company has that configures none."""
Leaderboards = Annotated[tuple[Leaderboard, ...], AfterValidator(_named_once)]
