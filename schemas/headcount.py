"""The staffing plan."""

import polars as pl

from schemas.base import Entity, business_date, identifier, number, text


class Headcount(Entity):
    """One row per person or planned hire."""

    user_id: str = identifier("user_id, or a placeholder for a hire to come.", required=True)
    name: str = text("Name.")
    region: str = text("Region.")
    team: str = text("Team.")
    hired_on: pl.Date = business_date("First day at work.")
    left_on: pl.Date = business_date("Last day at work.")
    ramp_months: pl.Int64 = number("Months to full productivity.", ge=0)
    quota_share: pl.Float64 = number("Share of a full quota.", ge=0)

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("user_id",), "freshness": None}
