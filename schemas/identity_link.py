"""The mapping sheet: whom a name means that no rule can tell, such as a masked one or one that two customers share."""

from schemas.base import Entity, identifier, text


class IdentityLink(Entity):
    """One row per name and kind of record it stands for, for one source or for all."""

    kind: str = text("account, owner or opportunity.", required=True, isin=["account", "owner", "opportunity"])
    source_name: str = text("Name of the source whose rows write it so; empty for all sources.")
    name: str = text("The name as it is written.", required=True)
    target_id: str = identifier("account_id, user_id or opportunity_id that the name stands for.", required=True)
    remark: str = text("Who says so, and why.")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {"key": ("kind", "source_name", "name"), "freshness": None}
