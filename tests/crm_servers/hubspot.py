"""HubSpot's CRM API v3 as its documentation describes it, in memory and strict."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.crm_servers.server import Call, CrmServer, Refusal, Reply, iso

TOKEN = "pat-na1-11112222-secret-3333"
DEALS = (
    *(
        "amount",
        "closed_lost_reason",
        "closedate",
        "createdate",
        "deal_currency_code",
        "dealname",
        "dealstage",
        "dealtype",
    ),
    *("hs_lastmodifieddate", "hs_manual_forecast_category", "hs_next_step"),
)
COMPANIES = (
    "name",
    "industry",
    "numberofemployees",
    "country",
    "hubspot_owner_id",
    "hs_parent_company_id",
    "createdate",
)
DEFINED = {
    "deals": (*DEALS, "hs_merged_object_ids", "hs_object_id", "hubspot_owner_id", "pipeline"),
    "companies": (*COMPANIES, "hs_lastmodifieddate", "hs_merged_object_ids", "hs_object_id"),
    "contacts": ("email", "lastname", "createdate", "lastmodifieddate", "hs_merged_object_ids", "hs_object_id"),
}


@dataclass
class Stored:
    """One record."""

    properties: dict[str, str | None]
    created: datetime
    modified: datetime
    archived_at: datetime | None = None
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    links: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    indexed: list[tuple[datetime, datetime]] = field(default_factory=list)
    """When the search began to see the record as modified at what time."""


class HubSpotServer(CrmServer):
    """Objects by type and id.

    Attributes:
        lag: how long after a change the search shows it.
        search_end: results at which a search ends.
        page: the largest page of a list (smaller ones make short tests).
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[int, Stored]] = {name: {} for name in DEFINED}
        self.owners: list[dict[str, Any]] = []
        self.lag = timedelta(0)
        self.search_end = 10_000
        self.page = 100
        self.extra: dict[str, Any] = {}
        self.expired: set[str] = set()
        self._ids = 100

    # -- what people do in the CRM -------------------------------------------------------------------------------

    def create(self, kind: str, **properties: str | None) -> str:
        self._ids += 1
        given = {"hs_object_id": str(self._ids), "createdate": iso(self.clock)}
        self.objects[kind][self._ids] = Stored(given, self.clock, self.clock)
        self.update(kind, str(self._ids), **properties)
        return str(self._ids)

    def update(self, kind: str, identifier: str, **properties: str | None) -> None:
        self.clock += timedelta(milliseconds=1)
        stored = self.objects[kind][int(identifier)]
        stored.properties.update(properties)
        for name, value in properties.items():
            version = {"value": value or "", "timestamp": iso(self.clock), "sourceType": "CRM_UI"}
            stored.history.setdefault(name, []).insert(0, version)
        self._touch(stored)

    def archive(self, kind: str, identifier: str) -> None:
        self.clock += timedelta(milliseconds=1)
        self.objects[kind][int(identifier)].archived_at = self.clock

    def restore(self, kind: str, identifier: str) -> None:
        """As in HubSpot's recycle bin; the modification time stays."""
        self.objects[kind][int(identifier)].archived_at = None

    def purge(self, kind: str, identifier: str) -> None:
        """Gone for good, as by a GDPR deletion."""
        del self.objects[kind][int(identifier)]

    def merge(self, kind: str, survivor: str, other: str) -> None:
        merged = self.objects[kind][int(survivor)].properties.get("hs_merged_object_ids")
        self.purge(kind, other)
        self.update(kind, survivor, hs_merged_object_ids=f"{merged};{other}" if merged else other)

    def link(self, deal: str, kind: str, other: str, *, primary: bool) -> None:
        self.objects["deals"][int(deal)].links.setdefault(kind, []).append((int(other), primary))

    def live(self, kind: str) -> dict[str, dict[str, str | None]]:
        """Properties of the records that exist, by id."""
        return {str(i): stored.properties for i, stored in self.objects[kind].items() if stored.archived_at is None}

    def _touch(self, stored: Stored) -> None:
        stored.modified = self.clock
        stored.properties["hs_lastmodifieddate"] = stored.properties["lastmodifieddate"] = iso(self.clock)
        stored.indexed.append((self.clock + self.lag, self.clock))

    # -- the API -------------------------------------------------------------------------------------------------

    def fault(self, name: str) -> Reply | None:
        if name == "refused":
            return Reply(401, _error("INVALID_AUTHENTICATION", f"Authentication credentials {TOKEN} not found."))
        if name == "busy_policy":
            return Reply(429, {**_error("RATE_LIMITS", "10 seconds"), "policyName": "TEN_SECONDLY_ROLLING"})
        if name == "busy_day":
            return Reply(429, {**_error("RATE_LIMITS", "You have reached your daily limit."), "policyName": "DAILY"})
        return super().fault(name)

    def route(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refusal(401, _error("INVALID_AUTHENTICATION", "Authentication credentials not found."))
        routes = [
            ("GET", r"/crm/v3/objects/(\w+)", self._list),
            ("POST", r"/crm/v3/objects/(\w+)/search", self._search),
            ("POST", r"/crm/v3/objects/(\w+)/batch/read", self._read),
            ("POST", r"/crm/v4/associations/(\w+)/(\w+)/batch/read", self._links),
            ("GET", r"/crm/v3/properties/(\w+)", self._properties),
            ("GET", r"/crm/v3/owners", self._owners),
            ("GET", r"/crm/v3/pipelines/deals", self._pipelines),
        ]
        for method, pattern, answer in routes:
            found = re.fullmatch(pattern, call.path)
            if found:
                if method != call.method:
                    raise Refusal(405, _error("METHOD_NOT_ALLOWED", call.method))
                if method == "POST" and not isinstance(call.body, dict):
                    raise Refusal(415, _error("UNSUPPORTED_MEDIA_TYPE", call.headers.get("content-type", "none")))
                return answer(call, *found.groups())
        raise Refusal(404, _error("OBJECT_NOT_FOUND", call.path))

    def _of(self, kind: str) -> dict[int, Stored]:
        if kind not in self.objects:
            raise Refusal(400, _error("VALIDATION_ERROR", f"Unable to infer object type from: {kind}"))
        return self.objects[kind]

    def _list(self, call: Call, kind: str) -> Reply:
        _only(call.params, "limit", "after", "archived", "properties", "propertiesWithHistory", "associations")
        limit = _number(call.params.get("limit", "10"), 1, 100)
        after = call.params.get("after")
        if after in self.expired:
            raise Refusal(400, _error("VALIDATION_ERROR", "invalid paging cursor"))
        archived = call.params.get("archived") == "true"
        ids = [
            i
            for i, stored in sorted(self._of(kind).items())
            if (stored.archived_at is not None) == archived and i > int(after or 0)
        ]
        shown = ids[: min(limit, self.page)]
        answer: dict[str, Any] = {"results": [self._item(kind, i, ("hs_object_id",)) for i in shown]}
        if len(ids) > len(shown):
            answer["paging"] = {"next": {"after": str(shown[-1]), "link": "?after="}}
        return Reply(body=answer)

    def _search(self, call: Call, kind: str) -> Reply:
        body = call.body
        _only(body, "filterGroups", "sorts", "properties", "limit", "after", "query")
        if len(str(body)) > 3000:
            raise Refusal(400, _error("VALIDATION_ERROR", "the request is longer than 3000 characters"))
        limit, start = _number(body.get("limit", 10), 1, 200), int(body.get("after", 0))
        if start + limit > self.search_end:
            raise Refusal(400, _error("VALIDATION_ERROR", "search results end at 10000"))
        if len(body["filterGroups"]) != 1 or len(body.get("sorts", [])) > 1:
            raise Refusal(400, _error("VALIDATION_ERROR", "one filter group, one sort"))
        found = [
            i for i, stored in self._of(kind).items() if stored.archived_at is None and self._fits(i, stored, body)
        ]
        if body.get("sorts") != [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]:
            raise Refusal(400, _error("VALIDATION_ERROR", "this server sorts by hs_object_id only"))
        found.sort()
        shown = found[start : start + min(limit, self.page)]
        return Reply(
            body={"total": len(found), "results": [self._item(kind, i, body.get("properties", ())) for i in shown]}
        )

    def _fits(self, identifier: int, stored: Stored, body: dict[str, Any]) -> bool:
        visible = [modified for since, modified in stored.indexed if since <= self.clock]
        for rule in body["filterGroups"][0]["filters"]:
            _only(rule, "propertyName", "operator", "value")
            if rule["propertyName"] in ("hs_lastmodifieddate", "lastmodifieddate") and rule["operator"] == "GTE":
                since = datetime.fromtimestamp(int(rule["value"]) / 1000, UTC)
                if not visible or visible[-1] < since:
                    return False
            elif (rule["propertyName"], rule["operator"]) == ("hs_object_id", "GT"):
                if identifier <= int(rule["value"]):
                    return False
            else:
                raise Refusal(400, _error("VALIDATION_ERROR", f"this server does not know {rule}"))
        return True

    def _read(self, call: Call, kind: str) -> Reply:
        _only(call.params, "archived")
        _only(call.body, "properties", "propertiesWithHistory", "inputs", "idProperty")
        history = call.body["propertiesWithHistory"]
        if len(call.body["inputs"]) > (50 if history else 100):
            raise Refusal(400, _error("VALIDATION_ERROR", "too many inputs"))
        archived = call.params.get("archived") == "true"
        results, missing = [], []
        for identifier in (int(item["id"]) for item in call.body["inputs"]):
            stored = self._of(kind).get(identifier)
            if stored is None or (stored.archived_at is not None) != archived:
                missing.append(str(identifier))
                continue
            item = self._item(kind, identifier, (*call.body["properties"], "createdate", "hs_object_id"))
            if history:
                item["propertiesWithHistory"] = {name: stored.history.get(name, [])[:20] for name in history}
            results.append(item)
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results[::-1]}
        if missing:
            answer |= {"numErrors": 1, "errors": [_error("OBJECT_NOT_FOUND", f"Could not get objects {missing}")]}
        return Reply(207 if missing else 200, answer)

    def _item(self, kind: str, identifier: int, properties: Any) -> dict[str, Any]:
        stored = self.objects[kind][identifier]
        item = {
            "id": str(identifier),
            "properties": {name: stored.properties.get(name) for name in properties if name in DEFINED[kind]},
            "createdAt": iso(stored.created),
            "updatedAt": iso(stored.modified),
            "archived": stored.archived_at is not None,
            **self.extra,
        }
        return item | ({"archivedAt": iso(stored.archived_at)} if stored.archived_at else {})

    def _links(self, call: Call, kind: str, other: str) -> Reply:
        _only(call.params)
        _only(call.body, "inputs")
        if len(call.body["inputs"]) > 1000:
            raise Refusal(400, _error("VALIDATION_ERROR", "too many inputs"))
        results, errors = [], []
        for item in call.body["inputs"]:
            _only(item, "id", "after")
            stored = self._of(kind).get(int(item["id"]))
            links = stored.links.get(other, []) if stored else []
            start = int(item.get("after", 0))
            if not links:
                errors.append(_error("OBJECT_NOT_FOUND", f"No {other} is associated with {item['id']}"))
                continue
            to = []
            for identifier, primary in links[start : start + 2]:
                kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}]
                kinds += [{"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}] if primary else []
                to.append({"toObjectId": identifier, "associationTypes": kinds})
            result: dict[str, Any] = {"from": {"id": item["id"]}, "to": to}
            if len(links) > start + 2:
                result["paging"] = {"next": {"after": str(start + 2)}}
            results.append(result)
        answer = {"status": "COMPLETE", "results": results}
        return Reply(207 if errors else 200, answer | ({"numErrors": 1, "errors": errors} if errors else {}))

    def _properties(self, call: Call, kind: str) -> Reply:
        _only(call.params, "archived")
        self._of(kind)
        return Reply(body={"results": [{"name": name, "type": "string"} for name in DEFINED[kind]]})

    def _owners(self, call: Call) -> Reply:
        _only(call.params, "limit", "after", "archived")
        limit, start = _number(call.params.get("limit", "100"), 1, 500), int(call.params.get("after", 0))
        archived = call.params.get("archived") == "true"
        owners = [owner for owner in self.owners if owner["archived"] == archived]
        shown = owners[start : start + min(limit, self.page)]
        more = {"paging": {"next": {"after": str(start + len(shown))}}} if len(owners) > start + len(shown) else {}
        return Reply(body={"results": shown, **more})

    def _pipelines(self, call: Call) -> Reply:
        _only(call.params)
        stage = {"id": "won", "label": "Won", "displayOrder": 1, "metadata": {"isClosed": "true", "probability": "1.0"}}
        return Reply(body={"results": [{"id": "default", "label": "Sales", "displayOrder": 0, "stages": [stage]}]})


def _error(category: str, message: str) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": "c0ffee", "category": category}


def _only(given: Any, *allowed: str) -> None:
    unknown = set(given) - set(allowed)
    if unknown:
        raise Refusal(400, _error("VALIDATION_ERROR", f"unknown: {sorted(unknown)}"))


def _number(text: Any, low: int, high: int) -> int:
    if not low <= int(text) <= high:
        raise Refusal(400, _error("VALIDATION_ERROR", f"limit {text}: expected {low} to {high}"))
    return int(text)
