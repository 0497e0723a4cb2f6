"""The stage-progress sheet as a team keeps it."""

import polars as pl

from schemas.base import Entity, business_date, identifier, text


class StageProgress(Entity):
    """One row per customer and stage."""

    account_name: str = text("Customer's name as written.", required=True)
    account_id: str = identifier("The customer, found by the name where the source has no id.")
    stage: str = text("Stage key of the configured stages.", required=True)
    started_on: pl.Date = business_date("Start of the stage.", required=True)
    expected_done_on: pl.Date = business_date("Expected end of the stage.")
    done_actions: str = text("What has been done.")
    todo: str = text("What is to be done.")
    risks: str = text("Risks.")
    owner_name: str = text("Owner as written.")
    owner_id: str = identifier("user_id of the owner, found by the name where the source has no id.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("account_name", "stage", "started_on"), "freshness": "started_on"}
