"""The history of some properties of a HubSpot object."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.ingest.crm.http import Session
from flows.ingest.crm.hubspot.objects import Objects
from flows.ingest.crm.protocol import Cursor, Page, Record

HISTORY_LIMIT = 50
"""Records a request whose properties come with their history; the vendor's limit."""


class History(Objects):
    """Changes of some properties, one record a value."""

    key = "history_id"
    deleted = None

    @property
    def _tracked(self) -> tuple[str, ...]:
        return tuple(self.connect.options["history"])

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """What has happened does not vanish."""
        return None

    def _properties(self, session: Session) -> list[str]:
        self._defined(session, self._tracked, " of `history`")
        return list(self._tracked)

    def _page(
        self, session: Session, ids: Sequence[str], properties: Sequence[str], cursor: Cursor, *, archived: bool = False
    ) -> Page:
        records: dict[str, Record] = {}
        wanted = {"propertiesWithHistory": list(properties)}
        for at in range(0, len(ids), HISTORY_LIMIT):
            for item in self._read(session, wanted, ids[at : at + HISTORY_LIMIT], archived=archived):
                for record in _changes(item, properties):
                    records.setdefault(record["history_id"], record)  # newest first: the last value of a moment counts
        return Page(list(records.values()), cursor)


def _changes(item: Mapping[str, Any], properties: Sequence[str]) -> Iterator[Record]:
    for name in properties:
        for version in (item.get("propertiesWithHistory") or {}).get(name, ()):
            yield {
                "history_id": f"{item['id']}-{name}-{version['timestamp']}",
                "id": str(item["id"]),
                "property": name,
                **{"sourceType": None, "sourceId": None, "updatedByUserId": None},
                **version,
                **{other: version.get("value") if other == name else None for other in properties},
            }
