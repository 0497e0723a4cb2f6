"""The base of every configuration model: frozen, and a key nobody knows is a fault."""

from pydantic import BaseModel, ConfigDict


class ConfigModel(BaseModel):
    """Frozen; unknown keys are refused, so that a misspelt option is reported and not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
