"""HubSpot CRM v3: deals, companies, contacts, activities, owners, pipelines, and the history of properties.

The first pull walks the list of an object; later ones search for what was modified, paged by id: a search ends at
10,000 results, and many records may bear one and the same time. A search and a list give ids only; the records are read
in batches, since a search may not be longer than 3,000 characters and a list's URL has its limits too. What changes
while a pull runs is found by the next one: it looks from a while before this one began.

Archived records are listed apart. Merged ones disappear; the record they became a part of names them.

Landed fields: ``id``, ``createdAt``, ``updatedAt``, ``archived``, ``archivedAt``, each property under its own name
(under ``properties.<name>`` where that is one of the former), and for each of ``options.associations`` the fields
``associations.<object>`` (the primary one, or the only one) and ``associations.<object>.all``.

With ``options.history`` the changes of these properties are landed instead, one record a value: ``history_id``, ``id``,
``timestamp``, ``property``, ``value``, ``sourceType``, ``sourceId``, ``updatedByUserId``, and the value once more under
the property's own name.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from flows.config.sources import Source
from flows.ingest.crm.http import Authorization, PullRefused, Session
from flows.ingest.crm.protocol import Connector, Cursor, Page, Record
from flows.ingest.crm.responses import Verdict, judge_status, read_json

URL = "https://api.hubapi.com"
LIST_LIMIT, SEARCH_LIMIT, READ_LIMIT, HISTORY_LIMIT, OWNER_LIMIT = 100, 100, 100, 50, 500
"""Records a request; the vendor's limits, and for the search the number of records that one batch reads."""
MARGIN_MINUTES = 15
"""The search shows a change some moments after it was made."""
ENVELOPE = ("id", "createdAt", "updatedAt", "archived", "archivedAt")
MERGED = "hs_merged_object_ids"
A_DAY = 86_400.0
_WAITS = {"DAILY": A_DAY, "TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}


def connect(source: Source, secrets: Mapping[str, str]) -> Connector:
    """The connector for the object that a source names."""
    assert source.connect is not None  # noqa: S101 (the registry has looked)
    if source.connect.object == "owners":
        return Owners(source, secrets)
    if source.connect.object == "pipelines":
        return Pipelines(source, secrets)
    return History(source, secrets) if source.connect.options.get("history") else Objects(source, secrets)


class HubSpot(Connector):
    """What all objects share: the token of a private app, and how HubSpot refuses."""

    needs = ("token",)

    @property
    def base_url(self) -> str:
        """The API of all accounts, unless the configuration names another."""
        return self.connect.url or URL

    @property
    def limit(self) -> tuple[int, float] | None:
        """Just under what the smallest account may send."""
        return 95, 10.0

    def authorize(self, session: Session) -> Authorization:
        """The private app's token; it does not expire, so a refused one stays refused."""
        return Authorization({"Authorization": f"Bearer {self.secrets['token']}"})

    def judge(self, response: Any) -> Verdict:
        """By status; a limit says which one it is, and none of them says how long it lasts."""
        verdict = judge_status(response)
        if response.status_code == 429 and "Retry-After" not in response.headers:
            return Verdict("again", verdict.message, _WAITS.get(_policy(response), 10.0))
        return verdict


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
        """Names of the properties to ask for: those that are mapped or ignored, those listed, or all.

        Raises:
            PullRefused: one is not there. HubSpot itself would say nothing and leave it out.
        """
        defined = {item["name"] for item in session.get(f"crm/v3/properties/{self._object}")["results"]}
        listed = self.connect.options.get("properties", ())
        always = [MERGED] if self.tells_deleted and MERGED in defined else []
        if listed == "all":
            return sorted(defined)
        wanted = dict.fromkeys([*self._mapped(), *listed])
        missing = [name for name in wanted if name not in defined]
        if missing:
            raise PullRefused(
                f"{session.place}: expected the properties {', '.join(missing)}; {self._object} has no such property. "
                "Write its internal name, as the property settings of HubSpot show it."
            )
        return list(dict.fromkeys([*wanted, *always]))

    def _mapped(self) -> Iterator[str]:
        """Properties behind the mapped and the ignored columns."""
        columns = [*self.source.columns.values(), *([self.source.deleted] if self.source.deleted else [])]
        names = [name for column in columns for name in column.source_columns]
        for name in dict.fromkeys([*names, *self.source.ignore]):
            if name not in ENVELOPE and name != "url" and not name.startswith("associations."):
                yield name.removeprefix("properties.")


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
        defined = {item["name"] for item in session.get(f"crm/v3/properties/{self._object}")["results"]}
        missing = [name for name in self._tracked if name not in defined]
        if missing:
            raise PullRefused(
                f"{session.place}: expected the properties {', '.join(missing)} of `history`; {self._object} has no "
                "such property. Write its internal name, as the property settings of HubSpot show it."
            )
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


def next_after(answer: Mapping[str, Any]) -> str | None:
    """The cursor to the next page, None on the last one."""
    after = ((answer.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


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


def _policy(response: Any) -> str:
    try:
        return str(json.loads(response.content).get("policyName", ""))
    except (ValueError, AttributeError):
        return ""
