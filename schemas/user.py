"""The sales organisation: who works where, for whom, and in which language they are written to."""

import polars as pl

from schemas.base import Entity, business_date, flag, identifier, text


class User(Entity):
    """One row per person of the sales organisation."""

    user_id: str = identifier("Id of the person in the source.", required=True)
    name: str = text("Name as shown.", required=True)
    email: str = text("Mail address for notices.")
    manager_id: str = identifier("user_id of the person's manager.")
    role: str = text("rep, manager, leader or operations.", isin=["rep", "manager", "leader", "operations"])
    region: str = text("Region the person sells in.")
    team: str = text("Team within the region.")
    is_active: pl.Boolean = flag("False once the person has left or is switched off.")
    hired_on: pl.Date = business_date("First day at work.")
    left_on: pl.Date = business_date("Last day at work.")
    language: str = text("Language of mails: zh or en.", isin=["zh", "en"])

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("user_id",), "freshness": None}
