"""The base of every configuration model: frozen, and a key nobody knows is a fault."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class ConfigModel(BaseModel):
    """Frozen; unknown keys are refused, so that a misspelt option is reported and not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def expect_once(what: str, values: Sequence[str]) -> None:
    """Refuse values among which one is given again.

    Args:
        what: what they are, for the message.
        values: as written.

    Raises:
        ValueError: names those that are given more than once.
    """
    again = sorted({value for value in values if values.count(value) > 1})
    if again:
        raise ValueError(f"expected each {what} once; given twice: {', '.join(again)}")
