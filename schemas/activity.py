"""Calls, mails, meetings, demos and tasks."""

import polars as pl

from schemas.base import Entity, Moment, business_date, identifier, moment, number, text


class Activity(Entity):
    """One row per activity."""

    activity_id: str = identifier("Id of the activity.", required=True)
    activity_type: str = text("Kind of activity.", required=True)
    opportunity_id: str = identifier("The deal it was for.")
    account_id: str = identifier("The account it was for.")
    lead_id: str = identifier("The lead it was for.")
    owner_id: str = identifier("user_id of who did it.")
    occurred_at: Moment = moment("When it took place (UTC).", required=True)
    occurred_on: pl.Date = business_date("When it took place, as a business date.", derived_from="occurred_at")
    duration_min: pl.Int64 = number("Length in minutes.", ge=0)
    subject: str = text("Subject line.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("activity_id",), "freshness": "occurred_on"}
