"""Customer requirements."""

import polars as pl

from schemas.base import Entity, business_date, identifier, text


class Requirement(Entity):
    """One row per requirement."""

    requirement_id: str = identifier("Id of the requirement.", required=True)
    opportunity_id: str = identifier("The deal.")
    account_id: str = identifier("The customer.")
    account_name: str = text("Customer's name where the source has no id.")
    requirement_type: str = text("Kind of requirement.")
    description: str = text("What is required.")
    priority: str = text("Priority as kept.")
    pain_point: str = text("The customer's pain point.")
    solution: str = text("Direction of the solution.")
    confirmed_by: str = text("Who confirmed it.")
    confirmed_on: pl.Date = business_date("When it was confirmed.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("requirement_id",), "freshness": "confirmed_on"}
