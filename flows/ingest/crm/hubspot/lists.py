"""What HubSpot has little of and is always read whole: owners, and the stages of pipelines."""

from collections.abc import Iterator

from flows.ingest.crm.http import Session
from flows.ingest.crm.hubspot.account import HubSpot, next_after
from flows.ingest.crm.protocol import Cursor, Page

OWNER_LIMIT = 500
"""Owners a request; the vendor's limit."""


class Owners(HubSpot):
    """The users who own records. The list is short and is always read whole."""

    deleted: str | None = "archived"

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """All owners, then those that have left: their records still bear their ids."""
        cursor = since if since and "archived" in since else {"archived": False, "after": None}
        for archived in (False, True):
            if archived < cursor["archived"]:
                continue
            after = cursor["after"] if archived == cursor["archived"] else None
            while True:
                params = {
                    "limit": OWNER_LIMIT,
                    "archived": str(archived).lower(),
                    **({"after": after} if after else {}),
                }
                answer = session.get("crm/v3/owners", params=params)
                records = [{"firstName": None, "lastName": None, "email": None, **item} for item in answer["results"]]
                after = next_after(answer)
                if after is None:
                    yield Page(records, {"archived": True, "after": None})
                    break
                yield Page(records, {"archived": archived, "after": after})
        yield Page([], {})


class Pipelines(HubSpot):
    """The stages of the pipelines of deals, one record a stage; always read whole."""

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """All stages in one page."""
        answer = session.get("crm/v3/pipelines/deals")
        records = [
            {
                **{name: value for name, value in stage.items() if name != "metadata"},
                **{f"metadata.{name}": value for name, value in (stage.get("metadata") or {}).items()},
                "pipelineId": pipeline["id"],
                "pipelineLabel": pipeline.get("label"),
            }
            for pipeline in answer["results"]
            for stage in pipeline.get("stages", ())
        ]
        yield Page(records, {})
