"""People at accounts."""

import polars as pl

from schemas.base import Entity, flag, identifier, text


class Contact(Entity):
    """One row per contact."""

    contact_id: str = identifier("Id of the contact.", required=True)
    account_id: str = identifier("The contact's account.")
    name: str = text("Name.", required=True)
    title: str = text("Job title.")
    phone: str = text("Phone number.")
    email: str = text("Mail address.")
    is_decision_maker: pl.Boolean = flag("Whether this person decides.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("contact_id",), "freshness": None}
