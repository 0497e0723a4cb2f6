"""Customers and prospects."""

import polars as pl

from schemas.base import Entity, Moment, business_date, identifier, moment, text


class Account(Entity):
    """One row per account."""

    account_id: str = identifier("Id of the account.", required=True)
    name: str = text("Name as the source writes it.", required=True)
    industry: str = text("Industry.")
    segment: str = text("Customer segment.")
    size_band: str = text("Size as kept, for example a range of employees.")
    region: str = text("Region.")
    owner_id: str = identifier("user_id of the account's owner.")
    parent_id: str = identifier("account_id of the parent company.")
    merged_into_id: str = identifier("account_id of the record that this one was merged into.")
    created_at: Moment = moment("When the account was created (UTC).")
    created_on: pl.Date = business_date("When the account was created, as a business date.", derived_from="created_at")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("account_id",), "freshness": None}
