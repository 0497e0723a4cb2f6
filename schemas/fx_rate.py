"""Rates of exchange into the reporting currency, dated."""

import polars as pl

from schemas.base import Entity, Rate, business_date, number, text


class FxRate(Entity):
    """One row per currency and date from which the rate holds."""

    currency: str = text("ISO 4217 code.", required=True, str_matches=r"^[A-Z]{3}$")
    valid_from: pl.Date = business_date("First day on which the rate holds.", required=True)
    rate: Rate = number("Units of the reporting currency for one unit.", required=True, gt=0)

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("currency", "valid_from"), "freshness": None}
