"""The source's own history of stage, amount, close date and owner."""

import polars as pl

from schemas.base import Amount, Entity, Moment, business_date, identifier, moment, money, text


class OpportunityHistory(Entity):
    """One row per recorded change of an opportunity; a null column did not change."""

    opportunity_id: str = identifier("The opportunity.", required=True)
    changed_at: Moment = moment("When the change was made (UTC).", required=True)
    changed_on: pl.Date = business_date("When the change was made, as a business date.", derived_from="changed_at")
    history_id: str = text("The source's id of the change, empty where it has none.")
    stage: str = text("Stage key from then on.")
    amount: Amount = money("Amount from then on.", non_negative=True)
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")
    expected_close_on: pl.Date = business_date("Expected close from then on.")
    owner_id: str = identifier("Owner from then on.")
    forecast_category: str = text(
        "Forecast category from then on.", isin=["omitted", "pipeline", "best_case", "commit", "closed"]
    )

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("opportunity_id", "changed_at", "history_id"), "freshness": "changed_on"}
