"""Instalments due and paid."""

import polars as pl

from schemas.base import Amount, Entity, business_date, identifier, money, number, text


class Payment(Entity):
    """One row per instalment of a contract."""

    payment_id: str = identifier("Id of the instalment.", required=True)
    contract_id: str = identifier("The contract.", required=True)
    installment: pl.Int64 = number("Number of the instalment, from 1.", ge=1)
    due_on: pl.Date = business_date("Date on which it is due.")
    paid_on: pl.Date = business_date("Date on which it was paid.")
    amount: Amount = money("Amount due.", required=True)
    paid_amount: Amount = money("Amount paid; the amount due where only a date is kept.")
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("payment_id",), "freshness": "paid_on"}
