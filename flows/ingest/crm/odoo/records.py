"""The records of one Odoo model, asked for over JSON-RPC or JSON-2."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flows.ingest.crm.by_id import MARGIN_SECONDS, all_ids, changed_records, resumed
from flows.ingest.crm.http import Authorization, PullRefused, Session
from flows.ingest.crm.protocol import Connector, Cursor, Page, Record
from flows.ingest.crm.responses import Verdict, judge_status, read_json

Ask = Callable[..., Any]
"""(model, method, **arguments) -> what the method returns."""

LEADS = "crm.lead"
LOST, ARCHIVED = "lost", "archived"
STAGE_FIELDS = ("stage_id", "active", "probability")
"""Fields of a lead that ``stage`` is made of: the name of its stage, ``lost``, or ``archived`` without being lost."""
BUSY = frozenset(
    {
        "psycopg2.errors.SerializationFailure",
        "psycopg2.errors.DeadlockDetected",
        "psycopg2.errors.LockNotAvailable",
        "psycopg2.pool.PoolError",
    }
)
"""Exceptions after which the same request may succeed."""
MOMENT = "%Y-%m-%d %H:%M:%S"


class Records(Connector):
    """Records of one model.

    ``connect.url`` is the server and ``secrets.key`` an API key. With ``api: json-rpc`` (the default)
    ``options.database`` and ``options.user`` are needed too; with ``api: json-2`` the database only where a server has
    several. ``options.domain`` narrows the records, ``options.lang`` is the language of names.

    The fields are those that the source's columns read or ``ignore`` names. ``partner_id`` is the id of a related
    record, ``partner_id.display_name`` its name. Leads have a field ``stage`` beside Odoo's own (`STAGE_FIELDS`).
    """

    needs = ("key",)
    options = frozenset({"api", "database", "user", "domain", "lang", "page", "id_page", "overlap_seconds"})
    deleted: str | None = "deleted"
    added: ClassVar[frozenset[str]] = frozenset({"id", "deleted"})
    """Fields of its records that Odoo is not asked for."""

    def _faults(self) -> Iterator[str]:
        options = self.connect.options
        if not self.connect.url:
            yield "expected url: the address of the Odoo server"
        if options.get("api", "json-rpc") not in ("json-rpc", "json-2"):
            yield f"expected options.api: json-rpc or json-2, found {options['api']!r}"
        elif not self._is_json_2:
            yield from (
                f"expected options.{name} for api: json-rpc" for name in ("database", "user") if not options.get(name)
            )
        yield from super()._faults()

    @property
    def base_url(self) -> str:
        """The server."""
        return self.connect.url or ""

    @property
    def model(self) -> str:
        """Name of the model in Odoo."""
        return self.connect.object

    @property
    def fields(self) -> list[str]:
        """Fields of its records: those mapped or known to be ignored."""
        names = [name for column in self.source.columns.values() for name in column.source_columns]
        return sorted({*names, *self.source.ignore} - self.added)

    @property
    def _is_json_2(self) -> bool:
        return bool(self.connect.options.get("api") == "json-2")

    @property
    def _page(self) -> int:
        return int(self.connect.options.get("page", 500))

    @property
    def _domain(self) -> list[Any]:
        return list(self.connect.options.get("domain", []))

    # -- requests ------------------------------------------------------------------------------------------------

    def authorize(self, session: Session) -> Authorization:
        """JSON-2 takes the key in a header; JSON-RPC in each call."""
        if not self._is_json_2:
            return Authorization()
        headers = {"Authorization": f"bearer {self.secrets['key']}"}
        if database := self.connect.options.get("database"):
            headers["X-Odoo-Database"] = str(database)
        return Authorization(headers)

    def judge(self, response: Any) -> Verdict:
        """By the HTTP status; JSON-RPC tells of errors in the body of a response with status 200."""
        verdict = judge_status(response)
        if verdict.kind != "ok" or self._is_json_2:
            return verdict
        try:
            error = json.loads(response.content).get("error")
        except (ValueError, AttributeError):
            return verdict
        if not error:
            return verdict
        # ``debug`` is the server's traceback: for its own log, not for a person.
        data = error.get("data") or {}
        name, text = str(data.get("name", "")), data.get("message") or error.get("message")
        return Verdict("again" if name in BUSY else "refuse", ": ".join(str(part) for part in (name, text) if part))

    def _open(self, session: Session) -> Ask:
        """What asks Odoo: logged in, in one language, with archived records."""
        context = {"active_test": False, "lang": self.connect.options.get("lang", "en_US")}
        if self._is_json_2:
            return lambda model, method, **arguments: session.post(
                f"json/2/{model}/{method}", {**arguments, "context": context}
            )
        database, user, key = self.connect.options["database"], self.connect.options["user"], self.secrets["key"]

        def call(service: str, method: str, *arguments: Any) -> Any:
            parameters = {"service": service, "method": method, "args": arguments}
            request = {"jsonrpc": "2.0", "method": "call", "params": parameters, "id": 1}
            return session.call("POST", "jsonrpc", read=read_json, body=request)["result"]

        user_id = call("common", "authenticate", database, user, key, {})
        if not user_id:
            raise PullRefused(
                f"{session.place}: Odoo refuses user {user!r} of database {database!r}. "
                "Check options.user and the API key that `secrets` names."
            )
        return lambda model, method, **arguments: call(
            "object", "execute_kw", database, user_id, key, model, method, [], {**arguments, "context": context}
        )

    # -- records -------------------------------------------------------------------------------------------------

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """Records in the order of their ids; one that changes while others are read is read again the next night."""
        ask = self._open(session)
        has_stage = self.model == LEADS and "stage" in self.fields
        names = {field.partition(".")[0] for field in self.fields} - ({"stage"} if has_stage else set())
        kinds = self._kinds(ask, names | (set(STAGE_FIELDS) if has_stage else set()))
        for rows, cursor in self._changed(ask, resumed(since, self.fields), sorted(kinds)):
            records = [flat(row, kinds) for row in rows]
            if has_stage:
                records = [{**record, "stage": stage_of(record)} for record in records]
            kept = ("id", *self.fields)
            yield Page(
                [{**{field: record.get(field) for field in kept}, "deleted": False} for record in records], cursor
            )

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """Ids of all records, in few requests."""
        ask, limit = self._open(session), int(self.connect.options.get("id_page", 50_000))

        def read(after: int) -> list[int]:
            return list(ask(self.model, "search", domain=[["id", ">", after], *self._domain], limit=limit, order="id"))

        return (Page([{"id": number} for number in ids], cursor) for ids, cursor in all_ids(limit, read))

    def _changed(self, ask: Ask, since: Cursor, fields: Sequence[str]) -> Iterator[tuple[list[dict[str, Any]], Cursor]]:
        def read(at: str | None, after: int) -> list[dict[str, Any]]:
            domain = [["id", ">", after], *self._window(at), *self._domain]
            return search_read(ask, self.model, domain, fields, limit=self._page)

        return changed_records(since, self.fields, self._page, lambda: self._newest(ask), read)

    def _window(self, at: str | None) -> list[Any]:
        """The part of a domain that is true for what may have changed since ``at``."""
        if at is None:
            return []
        margin = timedelta(seconds=float(self.connect.options.get("overlap_seconds", MARGIN_SECONDS)))
        return [["write_date", ">=", (datetime.strptime(at, MOMENT) - margin).strftime(MOMENT)]]  # noqa: DTZ007 (UTC)

    def _newest(self, ask: Ask) -> str | None:
        """When the newest change was made that can be seen now; None without records."""
        rows = search_read(ask, self.model, self._domain, ["write_date"], limit=1, order="write_date desc, id desc")
        return str(rows[0]["write_date"]) if rows else None

    def _kinds(self, ask: Ask, names: set[str]) -> dict[str, str]:
        """The types of fields by name.

        Raises:
            PullRefused: a field that the model does not have.
        """
        known = ask(self.model, "fields_get", allfields=sorted(names), attributes=["type"])
        if unknown := sorted(names - known.keys()):
            raise PullRefused(
                f"{self.source.name}: {self.model} has no field {', '.join(unknown)}, or the user may not read it. "
                "Name the field in sources.yaml as Odoo's developer mode shows it."
            )
        return {name: known[name]["type"] for name in names}


def search_read(
    ask: Ask, model: str, domain: list[Any], fields: Sequence[str], *, limit: int | None = None, order: str = "id"
) -> list[dict[str, Any]]:
    """Records of a model in a stated order: by itself Odoo's is another for each model."""
    bounds = {"limit": limit} if limit else {}
    return list(ask(model, "search_read", domain=domain, fields=[*fields], order=order, **bounds))


def flat(row: Mapping[str, Any], kinds: Mapping[str, str]) -> Record:
    """A record as plain values: null where Odoo writes False for nothing, a related record as its id and its name."""
    found: Record = {"id": row["id"]}
    for name, kind in kinds.items():
        value = row[name]
        if kind == "many2one":
            found[name], found[f"{name}.display_name"] = value or (None, None)
        else:
            found[name] = None if value is False and kind != "boolean" else value
    return found


def stage_of(lead: Mapping[str, Any]) -> str | None:
    """The name of a lead's stage; Odoo marks a lost lead by archiving it at a probability of 0."""
    if lead["active"]:
        name = lead["stage_id.display_name"]
        return None if name is None else str(name)
    return ARCHIVED if lead["probability"] else LOST
