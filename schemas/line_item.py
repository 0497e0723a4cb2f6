"""Order or contract lines."""

import polars as pl

from schemas.base import Amount, Entity, business_date, identifier, money, number, text


class LineItem(Entity):
    """One row per line."""

    line_item_id: str = identifier("Id of the line.", required=True)
    contract_id: str = identifier("The contract or order.")
    opportunity_id: str = identifier("The deal.")
    product_id: str = identifier("The product.")
    account_id: str = identifier("The customer.")
    owner_id: str = identifier("user_id of who sold it.")
    quantity: pl.Float64 = number("Units sold.")
    unit_price: Amount = money("Price of a unit.")
    amount: Amount = money("Amount of the line.", required=True)
    cost: Amount = money("Cost of the line.")
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")
    booked_on: pl.Date = business_date("Date of the order.", required=True)

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("line_item_id",), "freshness": "booked_on"}
