"""Leads, before they become opportunities."""

import polars as pl

from schemas.base import Entity, Moment, business_date, identifier, moment, text


class Lead(Entity):
    """One row per lead."""

    lead_id: str = identifier("Id of the lead.", required=True)
    name: str = text("Name of the lead.")
    source: str = text("Where the lead came from.")
    quality: str = text("high, medium or low potential.", isin=["high", "medium", "low"])
    status: str = text("Status as mapped from the source.")
    industry: str = text("Industry.")
    segment: str = text("Customer segment.")
    region: str = text("Region.")
    owner_id: str = identifier("user_id of the lead's owner.")
    created_at: Moment = moment("When the lead came in (UTC).", required=True)
    created_on: pl.Date = business_date("When the lead came in, as a business date.", derived_from="created_at")
    first_touch_at: Moment = moment("When the lead was first touched (UTC).")
    first_touch_on: pl.Date = business_date(
        "When the lead was first touched, as a business date.", derived_from="first_touch_at"
    )
    converted_at: Moment = moment("When the lead became an opportunity (UTC).")
    converted_on: pl.Date = business_date(
        "When the lead became an opportunity, as a business date.", derived_from="converted_at"
    )
    opportunity_id: str = identifier("The opportunity it became.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("lead_id",), "freshness": "created_on"}
