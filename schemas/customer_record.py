"""The customer tracking sheet as a team keeps it."""

import polars as pl

from schemas.base import Entity, business_date, identifier, text


class CustomerRecord(Entity):
    """One row per customer and contact."""

    account_name: str = text("Customer's name as written.", required=True)
    account_id: str = identifier("The customer, found by the name where the source has no id.")
    contact_name: str = text("Contact as written; empty where none is kept.")
    industry: str = text("Industry.")
    size_band: str = text("Size as written.")
    contact_title: str = text("Job title.")
    contact_details: str = text("Phone or address as written.")
    lead_source: str = text("Where the lead came from.")
    status: str = text("Status as mapped from the source.")
    owner_name: str = text("Owner as written.")
    owner_id: str = identifier("user_id of the owner, found by the name where the source has no id.")
    first_contact_on: pl.Date = business_date("First contact.")
    expected_close_on: pl.Date = business_date("Expected close.")
    remark: str = text("Remarks.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("account_name", "contact_name"), "freshness": "first_contact_on"}
