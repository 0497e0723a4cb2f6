"""Points of sale of a channel company."""

import polars as pl

from schemas.base import Entity, business_date, flag, identifier, number, text


class Store(Entity):
    """One row per store."""

    store_id: str = identifier("Id of the store.", required=True)
    name: str = text("Name.", required=True)
    channel: str = text("Channel.")
    region: str = text("Region.")
    city: str = text("City.")
    owner_id: str = identifier("user_id of the rep who serves it.")
    weight: pl.Float64 = number("Share of category sales, for weighted distribution.", ge=0)
    opened_on: pl.Date = business_date("Opening date.")
    is_active: pl.Boolean = flag("False once closed.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("store_id",), "freshness": None}
