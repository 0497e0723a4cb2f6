"""Contracts; an unsigned one has no date and is not booked."""

import polars as pl

from schemas.base import Amount, Entity, business_date, identifier, money, text


class Contract(Entity):
    """One row per contract."""

    contract_id: str = identifier("Contract number.", required=True)
    opportunity_id: str = identifier("The deal.")
    account_id: str = identifier("The customer.")
    account_name: str = text("Customer's name where the source has no id.")
    owner_id: str = identifier("user_id of the owner.")
    owner_name: str = text("Owner's name where the source has no id.")
    amount: Amount = money("Contract amount.", non_negative=True)
    cost: Amount = money("Cost, for the gross margin.")
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")
    signed_on: pl.Date = business_date("Date of signature; null while unsigned.")
    status: str = text("Status as mapped from the source.")
    payment_terms: str = text("Terms of payment as written.")
    delivery_terms: str = text("Delivery period as written.")
    main_terms: str = text("Main terms as written.")
    archive_status: str = text("Archive status as written.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("contract_id",), "freshness": "signed_on"}
