"""Products."""

from schemas.base import Amount, Entity, identifier, money, text


class Product(Entity):
    """One row per product."""

    product_id: str = identifier("Id of the product.", required=True)
    name: str = text("Name.", required=True)
    category: str = text("Product family.")
    list_price: Amount = money("List price.", non_negative=True)
    currency: str = text("ISO 4217 code.", str_matches=r"^[A-Z]{3}$")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("product_id",), "freshness": None}
