"""``stages.yaml``: the funnel, in order, with the names that exports use for each stage."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flows.config.model import ConfigModel, expect_once

BuyingElement = Literal["budget", "decision_maker", "need", "timing"]
Category = Literal["omitted", "pipeline", "best_case", "commit", "closed"]


class Stage(ConfigModel):
    """One stage. ``closed`` is won or lost for the two ends of the funnel, null for an open stage.

    ``aliases`` are other spellings, and the keys that the stage had before: the change log holds those of its nights.
    """

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    name_en: str
    name_zh: str
    aliases: tuple[str, ...] = ()
    closed: Literal["won", "lost"] | None = None
    forecast_category: Category = "pipeline"
    default_win_probability: Annotated[float, Field(ge=0, le=1)] | None = None
    needs: tuple[BuyingElement, ...] = ()
    """Buying elements that a deal in this stage should have gathered; each stage says all of its own."""
    no_touch_working_days: Annotated[int, Field(ge=1)] | None = None
    """After so many working days without an activity a deal in this stage is untouched; else as in settings.yaml."""
    max_days: Annotated[int, Field(ge=1)] | None = None
    """A deal is too long in this stage after more days than these; else after the p80 of all that were in it."""

    @model_validator(mode="after")
    def _watches_open_deals(self) -> Self:
        if self.closed and (self.needs or self.no_touch_working_days or self.max_days):
            raise ValueError("expected no needs, no_touch_working_days or max_days in a stage that is closed")
        expect_once("buying element", self.needs)
        return self

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every way an export may write this stage."""
        return tuple(dict.fromkeys((self.key, self.name_en, self.name_zh, *self.aliases)))


class Stages(ConfigModel):
    """The funnel from first to last stage."""

    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_a_funnel(self) -> Self:
        expect_once("stage key", [stage.key for stage in self.stages])
        owner: dict[str, str] = {}
        for stage in self.stages:
            for spelling in stage.spellings:
                other = owner.setdefault(spelling.casefold(), stage.key)
                if other != stage.key:
                    raise ValueError(f"{spelling!r} names two stages: {other} and {stage.key}")
        if not any(stage.closed == "won" for stage in self.stages):
            raise ValueError("expected a stage with closed: won")
        return self

    @property
    def by_spelling(self) -> dict[str, str]:
        """Stage key by spelling, as written in the configuration."""
        return {spelling: stage.key for stage in self.stages for spelling in stage.spellings}
