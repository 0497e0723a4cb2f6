"""纷享销客 (ShareCRM): any object of the open API, by its modification time.

Credentials are passed the way all clouds answer: token, company and user in each body. Every answer is HTTP 200; what
happened stands in ``errorCode``, never in ``errorMessage``, whose words change. Pages are kept apart by ``_id`` with
the offset at 0, since offsets end at 10,000. Each cloud has its own host: ``url``.

Voided and deleted records leave the list without a trace; they are found by comparing ids, every night unless
``options.sweep_days`` says otherwise.

Landed fields are those that are mapped or ignored, ``_id``, ``last_modified_time`` and ``is_deleted``. A list of one
(as owners and departments come) is landed as its one value, an object such as ``owner__r`` as ``owner__r.name`` and so
on. Times come as milliseconds since the epoch, which no person reads: those of ``options.moments`` (besides
``create_time`` and ``last_modified_time``) are landed in ISO 8601 and UTC, those of ``options.dates`` as dates in
``options.time_zone``.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from flows.ingest.crm.http import Authorization, Session
from flows.ingest.crm.protocol import Connector, Cursor, Page, Record
from flows.ingest.crm.responses import Verdict, judge_status, read_json

URL = "https://open.fxiaoke.com"
PAGE_RECORDS = 100
MARGIN_MINUTES = 15
A_DAY = 86_400.0
_EXPIRED = frozenset({20005, 20016, 11014})
_WAITS: dict[int, float | None] = {-2: None, -1: None, 50009: None, 14001: 20.0, 30004: 2.0, 30002: A_DAY}
"""Codes after which the same request may succeed, and the seconds to wait; None: as after any fault."""
_ADVICE = {
    15003: "Allow the app to use this interface.",
    20006: "Check the secrets app_id and app_secret.",
    20012: "Check options.open_user_id.",
    20015: "Check the secret permanent_code.",
    20022: "Let an administrator authorise the app.",
    30003: "The tenant has to buy calls of the open API.",
}


class Fxiaoke(Connector):
    """One object (``OpportunityObj``, ``AccountObj``, ``NewOpportunityObj``, ``…__c``) of one tenant."""

    needs = ("app_id", "app_secret", "permanent_code")
    options: ClassVar[frozenset[str]] = frozenset(
        {"open_user_id", "fields", "margin_minutes", "moments", "dates", "time_zone"}
    )
    sweep_days = 1
    key = "_id"
    deleted: str | None = "is_deleted"

    def _faults(self) -> Iterator[str]:
        yield from super()._faults()
        if not self.connect.options.get("open_user_id"):
            yield "expected options.open_user_id: the employee in whose name records are read"

    @property
    def base_url(self) -> str:
        """The host of the tenant's cloud."""
        return self.connect.url or URL

    @property
    def limit(self) -> tuple[int, float] | None:
        """100 calls of an interface in 20 seconds; there is no header that tells how many are left."""
        return 95, 20.0

    def authorize(self, session: Session) -> Authorization:
        """A token for two hours; it has to stand in the body of each request, with company and user."""
        secrets = {"appId": "app_id", "appSecret": "app_secret", "permanentCode": "permanent_code"}
        answer = session.call(
            "POST",
            "cgi/corpAccessToken/get/V2",
            read=read_json,
            params=_trace,
            body={name: self.secrets[part] for name, part in secrets.items()},
            authorized=False,
        )
        return Authorization(
            body={
                "corpAccessToken": answer["corpAccessToken"],
                "corpId": answer["corpId"],
                "currentOpenUserId": str(self.connect.options["open_user_id"]),
            }
        )

    def judge(self, response: Any) -> Verdict:
        """By ``errorCode``; the status says only whether the gateway was there."""
        if response.status_code != 200:
            return judge_status(response)
        try:
            answer = json.loads(response.content)
            code = int(answer["errorCode"])
        except (ValueError, TypeError, KeyError):
            return Verdict("again", "the answer is not whole (no errorCode)")
        message = f"{code} {answer.get('errorMessage') or ''}".strip()
        if code == 0:
            return Verdict("ok")
        if code in _EXPIRED:
            return Verdict("renew", message)
        if code in _WAITS:
            return Verdict("again", message, _WAITS[code])
        return Verdict("refuse", message, advice=_ADVICE.get(code, ""))

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """Records by id, those modified since a while before the last pull began."""
        if since is None or "started" not in since:
            session.authorize()  # its answer tells the vendor's time, from which the next pull begins
            margin = float(self.connect.options.get("margin_minutes", MARGIN_MINUTES)) * 60_000
            start = None if since is None else int(since["since"] - margin)
            since = {"since": start, "started": int(session.vendor_now() * 1000), "after": None}
        filters = [_filter("last_modified_time", "GTE", since["since"])] if since["since"] is not None else []
        fields = self._fields()
        for records, after in self._query(session, fields, filters, since["after"]):
            yield Page([self._landed(record, fields) for record in records], {**since, "after": after})
        yield Page([], {"since": since["started"]})

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """The ids of all records."""
        return (
            Page([{"_id": record["_id"]} for record in records], {"after": after})
            for records, after in self._query(session, ["_id"], [], (since or {}).get("after"))
        )

    def _query(
        self, session: Session, fields: list[str], filters: list[dict[str, Any]], after: str | None
    ) -> Iterator[tuple[list[Record], str]]:
        """Pages in the order of ids, each a query of its own."""
        custom = "custom/" if self.connect.object.endswith("__c") else ""
        while True:
            beyond = [_filter("_id", "GT", after)] if after is not None else []
            query = {
                "limit": PAGE_RECORDS,
                "offset": 0,
                "filters": [*filters, *beyond],
                "orders": [{"fieldName": "_id", "isAsc": True}],
                "fieldProjection": [name for name in fields if "." not in name],
            }
            answer = session.call(
                "POST",
                f"cgi/crm/{custom}v2/data/query",
                read=read_json,
                params=_trace,
                body={"data": {"dataObjectApiName": self.connect.object, "search_query_info": query}},
            )
            records = answer["data"]["dataList"]
            if not records:
                return
            after = str(records[-1]["_id"])
            yield records, after

    def _landed(self, record: Record, fields: list[str]) -> Record:
        flat = _flat(record, fields)
        zone = ZoneInfo(self.connect.options.get("time_zone", "Asia/Shanghai"))
        for name in ("create_time", "last_modified_time", *self.connect.options.get("moments", ())):
            if isinstance(flat.get(name), int):
                flat[name] = datetime.fromtimestamp(flat[name] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in self.connect.options.get("dates", ()):
            if isinstance(flat.get(name), int):
                flat[name] = datetime.fromtimestamp(flat[name] / 1000, zone).date().isoformat()
        return flat

    def _fields(self) -> list[str]:
        columns = [*self.source.columns.values(), *([self.source.deleted] if self.source.deleted else [])]
        mapped = [name for column in columns for name in column.source_columns]
        listed = self.connect.options.get("fields", ())
        parents = [name.partition(".")[0] for name in mapped if "." in name]
        needed = ["_id", "last_modified_time", "is_deleted"]
        return list(dict.fromkeys([*needed, *mapped, *parents, *self.source.ignore, *listed]))


connect = Fxiaoke


def _trace() -> dict[str, str]:
    """The id that each request has to bear, a new one each time, tries included."""
    return {"thirdTraceId": str(uuid.uuid4())}


def _filter(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field_name": name, "field_values": [value], "operator": operator}


def _flat(record: Record, fields: list[str]) -> Record:
    flat: Record = dict.fromkeys(name for name in fields if not any(other.startswith(f"{name}.") for other in fields))
    for name, value in record.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{part}": item for part, item in value.items()})
        else:
            flat[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return flat
