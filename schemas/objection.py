"""Objections raised by customers."""

import polars as pl

from schemas.base import Entity, business_date, identifier, text


class Objection(Entity):
    """One row per objection."""

    objection_id: str = identifier("Id of the objection.", required=True)
    opportunity_id: str = identifier("The deal.")
    objection_type: str = text("Kind of objection.", required=True)
    stage: str = text("Stage key in which it was raised.")
    raised_on: pl.Date = business_date("When it was raised.")
    resolved_on: pl.Date = business_date("When it was settled, whichever way.")
    response: str = text("How it was answered.")
    outcome: str = text("resolved, open or lost.", isin=["resolved", "open", "lost"])

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("objection_id",), "freshness": "raised_on"}
