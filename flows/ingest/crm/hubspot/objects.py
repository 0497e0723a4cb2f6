"""The records of one HubSpot object by their modification time, and of some the records associated with them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from flows.ingest.crm.http import PullRefused, Session
from flows.ingest.crm.hubspot.account import HubSpot, next_after
from flows.ingest.crm.protocol import Cursor, Page, Record
from flows.ingest.crm.responses import read_json

LIST_LIMIT, SEARCH_LIMIT, READ_LIMIT = 100, 100, 100
"""Records a request; the vendor's limits, and for the search the number of records that one batch reads."""
MARGIN_MINUTES = 15
"""The search shows a change some moments after it was made."""
ENVELOPE = ("id", "createdAt", "updatedAt", "archived", "archivedAt")
MERGED = "hs_merged_object_ids"


class Objects(HubSpot):
    """Records of one object type by their modification time."""

    options: ClassVar[frozenset[str]] = frozenset({"properties", "associations", "margin_minutes", "history"})
    deleted: str | None = "archived"

    @property
    def _object(self) -> str:
        return self.connect.object

    @property
    def _modified(self) -> str:
        return "lastmodifieddate" if self._object == "contacts" else "hs_lastmodifieddate"

    @property
    def _associations(self) -> tuple[str, ...]:
        return tuple(self.connect.options.get("associations", ()))

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """Live records first, then archived ones; ``since`` says in which of the two a cut-off pull was."""
        properties = self._properties(session)
        cursor = since if since and "step" in since else self._begin(session, since)
        if cursor["step"] == "live":
            pages = self._listed(session, cursor) if cursor["since"] is None else self._searched(session, cursor)
            for ids, position in pages:
                yield self._page(session, ids, properties, position)
            cursor = {**cursor, "step": "archived", "after": None}
        if self.tells_deleted:
            for ids, position in self._archived(session, cursor):
                yield self._page(session, ids, properties, position, archived=True)
        yield Page([], {"since": cursor["started"]})

    def _begin(self, session: Session, since: Cursor | None) -> Cursor:
        """A new pull: it looks from a while before the last one began."""
        margin = float(self.connect.options.get("margin_minutes", MARGIN_MINUTES)) * 60_000
        start = None if since is None else int(since["since"] - margin)
        return {"step": "live", "since": start, "started": int(session.vendor_now() * 1000), "after": None}

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """The ids of all live records."""
        return (
            Page([{"id": identifier} for identifier in ids], position)
            for ids, position in self._listed(session, since or {"after": None})
        )

    def fetch(self, session: Session, ids: Sequence[str]) -> Iterator[Sequence[Record]]:
        """Some live records by id."""
        properties = self._properties(session)
        for at in range(0, len(ids), READ_LIMIT):
            yield self._page(session, ids[at : at + READ_LIMIT], properties, {}).records

    # -- ids -----------------------------------------------------------------------------------------------------

    def _listed(self, session: Session, cursor: Cursor) -> Iterator[tuple[Sequence[str], Cursor]]:
        """Ids of all live records, with the position after each page."""
        for results, after in self._list(session, cursor["after"], archived=False):
            yield [str(result["id"]) for result in results], {**cursor, "after": after}

    def _list(
        self, session: Session, after: str | None, *, archived: bool
    ) -> Iterator[tuple[list[Record], str | None]]:
        """Pages of the list. A position that HubSpot no longer accepts is given up, and the list walked anew, once."""
        walked_anew = False
        while True:
            params: dict[str, Any] = {"limit": LIST_LIMIT, "archived": str(archived).lower()}
            try:
                answer = session.get(
                    f"crm/v3/objects/{self._object}", params=params if after is None else {**params, "after": after}
                )
            except PullRefused as refused:
                if refused.status != 400 or after is None or walked_anew:
                    raise
                after, walked_anew = None, True
                continue
            following = next_after(answer)
            yield answer["results"], following or after
            if following is None:
                return
            after = following

    def _searched(self, session: Session, cursor: Cursor) -> Iterator[tuple[Sequence[str], Cursor]]:
        """Ids of what was modified, in the order of ids: each page is a search of its own and never a long one."""
        while True:
            filters = [{"propertyName": self._modified, "operator": "GTE", "value": str(cursor["since"])}]
            if cursor["after"] is not None:
                filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": cursor["after"]})
            answer = session.post(
                f"crm/v3/objects/{self._object}/search",
                {
                    "filterGroups": [{"filters": filters}],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    "properties": ["hs_object_id"],
                    "limit": SEARCH_LIMIT,
                },
            )
            ids = [str(result["id"]) for result in answer["results"]]
            if not ids:
                return
            cursor = {**cursor, "after": ids[-1]}
            yield ids, cursor

    def _archived(self, session: Session, cursor: Cursor) -> Iterator[tuple[Sequence[str], Cursor]]:
        """Ids of records archived since the last pull; the list cannot be asked for a time and is walked whole."""
        for results, after in self._list(session, cursor["after"], archived=True):
            since = cursor["since"]
            new = [
                result for result in results if since is None or milliseconds(result.get("archivedAt")) >= int(since)
            ]
            yield [str(result["id"]) for result in new], {**cursor, "after": after}

    # -- records -------------------------------------------------------------------------------------------------

    def _page(
        self, session: Session, ids: Sequence[str], properties: Sequence[str], cursor: Cursor, *, archived: bool = False
    ) -> Page:
        """The records of some ids. One that is gone by now is absent; the next pull finds out why."""
        if not ids:
            return Page([], cursor)
        found = self._read(session, {"properties": list(properties)}, ids, archived=archived)
        partners = {name: self._partners(session, name, ids) for name in self._associations}
        records = [_flat(item, properties, partners) for item in found]
        merged = [part for item in found for part in (item["properties"].get(MERGED) or "").split(";") if part]
        return Page(records, cursor, tuple(dict.fromkeys(merged)))

    def _read(self, session: Session, wanted: Mapping[str, Any], ids: Sequence[str], *, archived: bool) -> list[Any]:
        """Records by id, in the order of ``ids``."""
        answer = session.call(
            "POST",
            f"crm/v3/objects/{self._object}/batch/read",
            read=read_json,
            params={"archived": str(archived).lower()},
            body={
                "properties": [],
                "propertiesWithHistory": [],
                **wanted,
                "inputs": [{"id": identifier} for identifier in ids],
            },
        )
        found = {str(item["id"]): item for item in answer["results"]}
        return [found[identifier] for identifier in ids if identifier in found]

    def _partners(self, session: Session, other: str, ids: Sequence[str]) -> dict[str, list[Any]]:
        """Associated records of another object by id."""
        found: dict[str, list[Any]] = {}
        inputs: list[dict[str, str]] = [{"id": identifier} for identifier in ids]
        while inputs:
            answer = session.post(f"crm/v4/associations/{self._object}/{other}/batch/read", {"inputs": inputs})
            inputs = []
            for result in answer["results"]:
                identifier, after = str(result["from"]["id"]), next_after(result)
                found.setdefault(identifier, []).extend(result["to"])
                if after is not None:
                    inputs.append({"id": identifier, "after": after})
        return found

    # -- properties ----------------------------------------------------------------------------------------------

    def _properties(self, session: Session) -> list[str]:
        """Names of the properties to ask for: those that are mapped or ignored, those listed, or all."""
        listed = self.connect.options.get("properties", ())
        if listed == "all":
            return sorted(self._defined(session))
        wanted = list(dict.fromkeys([*self._mapped(), *listed]))
        defined = self._defined(session, wanted)
        always = [MERGED] if self.tells_deleted and MERGED in defined else []
        return list(dict.fromkeys([*wanted, *always]))

    def _defined(self, session: Session, wanted: Sequence[str] = (), of_what: str = "") -> set[str]:
        """Names of all properties of the object.

        Raises:
            PullRefused: one that is wanted is not there. HubSpot itself would say nothing and leave it out.
        """
        defined = {item["name"] for item in session.get(f"crm/v3/properties/{self._object}")["results"]}
        if missing := [name for name in wanted if name not in defined]:
            raise PullRefused(
                f"{session.place}: expected the properties {', '.join(missing)}{of_what}; {self._object} has no such "
                "property. Write its internal name, as the property settings of HubSpot show it."
            )
        return defined

    def _mapped(self) -> Iterator[str]:
        """Properties behind the mapped and the ignored columns."""
        columns = [*self.source.columns.values(), *([self.source.deleted] if self.source.deleted else [])]
        names = [name for column in columns for name in column.source_columns]
        for name in dict.fromkeys([*names, *self.source.ignore]):
            if name not in ENVELOPE and name != "url" and not name.startswith("associations."):
                yield name.removeprefix("properties.")


def milliseconds(moment: str | None) -> int:
    """An ISO 8601 moment as milliseconds since the epoch; one that is not stated is now and always."""
    if not moment:
        return 2**62
    found = datetime.fromisoformat(moment)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def _flat(
    item: Mapping[str, Any], properties: Sequence[str], partners: Mapping[str, Mapping[str, list[Any]]]
) -> Record:
    """A record as it lands."""
    record: Record = dict.fromkeys(ENVELOPE)
    record.update({name: value for name, value in item.items() if not isinstance(value, dict | list)})
    values = {**dict.fromkeys(properties), **item["properties"]}
    for name, value in values.items():
        record[f"properties.{name}" if name in ENVELOPE else name] = value
    for other, found in partners.items():
        to = found.get(str(item["id"]), [])
        record[f"associations.{other}"] = _primary(to)
        record[f"associations.{other}.all"] = sorted({str(link["toObjectId"]) for link in to}, key=int)
    return record


def _primary(to: Sequence[Mapping[str, Any]]) -> str | None:
    """The associated record that is called the primary one, or the only one."""
    primary = [link for link in to if any(kind.get("label") == "Primary" for kind in link["associationTypes"])]
    chosen = {str(link["toObjectId"]) for link in (primary or to)}
    return chosen.pop() if len(chosen) == 1 else None
