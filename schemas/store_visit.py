"""Visits to stores and what was found there."""

import polars as pl

from schemas.base import Entity, business_date, flag, identifier, number


class StoreVisit(Entity):
    """One row per visit."""

    visit_id: str = identifier("Id of the visit.", required=True)
    store_id: str = identifier("The store.", required=True)
    owner_id: str = identifier("user_id of the visitor.")
    visited_on: pl.Date = business_date("Date of the visit.", required=True)
    is_planned: pl.Boolean = flag("Whether the route had it planned.")
    is_done: pl.Boolean = flag("Whether it took place.")
    sku_stocked: pl.Int64 = number("Products stocked.", ge=0)
    sku_sold: pl.Int64 = number("Products sold since the last visit.", ge=0)
    units_opening: pl.Int64 = number("Units in stock after the visit before, where the source states it.", ge=0)
    units_received: pl.Int64 = number("Units received.", ge=0)
    units_sold: pl.Int64 = number("Units sold.", ge=0)
    units_on_hand: pl.Int64 = number("Units counted in stock at the visit.", ge=0)

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("visit_id",), "freshness": "visited_on"}
