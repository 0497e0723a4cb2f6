"""Opportunities as they stand in tonight's export."""

import polars as pl

from schemas.base import Amount, Entity, Moment, business_date, flag, identifier, moment, money, text

BUYING_ELEMENTS = ("budget", "decision_maker", "need", "timing")
"""What has to be known of a buyer before a deal can close; gathered in any order, so a set and not a line."""
_ELEMENT = f"(?:{'|'.join(BUYING_ELEMENTS)})"


class Opportunity(Entity):
    """One row per opportunity."""

    opportunity_id: str = identifier("Id of the opportunity.", required=True)
    name: str = text("Name of the deal.")
    account_id: str = identifier("The deal's account.")
    owner_id: str = identifier("user_id of the owner.")
    stage: str = text("Stage key of the configured stages.", required=True)
    amount: Amount = money("Amount in the row's currency; what it was won for once won.", non_negative=True)
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")
    created_at: Moment = moment("When the deal was created (UTC).")
    created_on: pl.Date = business_date("When the deal was created, as a business date.", derived_from="created_at")
    expected_close_on: pl.Date = business_date("Date on which the owner expects to close.")
    closed_at: Moment = moment("When the deal was won or lost (UTC).")
    closed_on: pl.Date = business_date("When the deal was won or lost, as a business date.", derived_from="closed_at")
    product_id: str = identifier("Main product.")
    segment: str = text("Customer segment.")
    region: str = text("Region of the deal.")
    source: str = text("Where the deal came from.")
    forecast_category: str = text(
        "omitted, pipeline, best_case, commit or closed.", isin=["omitted", "pipeline", "best_case", "commit", "closed"]
    )
    loss_reason: str = text("Why it was lost.")
    competitor: str = text("Competitor named.")
    next_step: str = text("Next step as the owner wrote it.")
    has_budget: bool = flag("Whether the buyer's budget is known; null where the source does not say.")
    has_decision_maker: bool = flag("Whether it is known who decides; null where the source does not say.")
    has_need: bool = flag("Whether the buyer's need is known; null where the source does not say.")
    has_timing: bool = flag("Whether it is known when the buyer wants to buy; null where the source does not say.")
    buying_elements: str = text(
        "The buying elements gathered: budget, decision_maker, need, timing, in this order, semicolons between.",
        str_matches=f"^{_ELEMENT}(?:;{_ELEMENT})*$",
    )
    modified_at: Moment = moment("When the source last changed the record (UTC).")
    modified_on: pl.Date = business_date(
        "When the source last changed the record, as a business date.", derived_from="modified_at"
    )
    merged_into_id: str = identifier("opportunity_id of the record that this one was merged into.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("opportunity_id",), "freshness": "modified_on"}
