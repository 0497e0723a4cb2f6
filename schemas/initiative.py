"""Goals, initiatives and actions with one responsible person."""

import polars as pl

from schemas.base import Amount, Entity, business_date, identifier, money, text


class Initiative(Entity):
    """One row per initiative."""

    initiative_id: str = identifier("Id of the initiative.", required=True)
    goal: str = text("The goal it serves.")
    action: str = text("What is to be done.", required=True)
    dri: str = identifier("user_id of the directly responsible individual.")
    starts_on: pl.Date = business_date("First day; with the deadline, the days over which a budget is spent.")
    due_on: pl.Date = business_date("Deadline.")
    metric: str = text("Metric it should move.")
    status: str = text("Status as written.")
    budget: Amount = money("Budget.", non_negative=True)
    lead_source: str = text("The source of leads that the budget pays for, as leads name it.")
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("initiative_id",), "freshness": None}
