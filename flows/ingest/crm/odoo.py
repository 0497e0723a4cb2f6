"""Odoo 17 and later: the records of a model, and the history of leads from what Odoo tracks in their messages.

Both ways in are known. ``api: json-rpc`` is the one that every release up to 21 has; it is deprecated since 19 and goes
with 22 (Odoo Online: 21.1). ``api: json-2`` is its successor, from 19 on.

What is new is found by ``write_date``, whose resolution is one second. An archived record, such as a lost lead, still
counts: ``active_test`` is off. One that was deleted leaves no trace and is found by comparing ids.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flows.config.sources import Source
from flows.ingest.crm.by_id import MARGIN_SECONDS, all_ids, changed_records, resumed
from flows.ingest.crm.http import Authorization, PullRefused, Session
from flows.ingest.crm.protocol import Connector, Cursor, Page, Record
from flows.ingest.crm.responses import Verdict, judge_status, read_json

Ask = Callable[..., Any]
"""(model, method, **arguments) -> what the method returns."""

LEADS, HISTORY = "crm.lead", "crm.lead__history"
LOST, ARCHIVED = "lost", "archived"
STAGE_FIELDS = ("stage_id", "active", "probability")
"""Fields of a lead that ``stage`` is made of: the name of its stage, ``lost``, or ``archived`` without being lost."""
TRACKED = {"stage_id": "integer", "active": "integer", "user_id": "integer", "expected_revenue": "float"}
"""Fields of a lead whose history is read, and the kind of column in which ``mail.tracking.value`` keeps them."""
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


class LeadHistory(Records):
    """What each opportunity was from when on: a record for its beginning and one for each message that tracks a change.

    Fields: ``revision`` (its key, sorts by time within a lead), ``id`` (of the lead), ``revised_at``, ``revised_by``,
    ``stage`` (as of `Records`), ``stage_id``, ``user_id``, ``expected_revenue``: whole states, not differences. A lead
    begins as an opportunity when it is converted. Only administrators may read what Odoo tracks
    (``mail.tracking.value``): the user needs the right *Administration / Settings*.
    """

    key = "revision"
    deleted = None
    added = frozenset(
        {"revision", "id", "revised_at", "revised_by", "stage", "stage_id", "user_id", "expected_revenue"}
    )

    def _faults(self) -> Iterator[str]:
        if self.fields:
            yield f"expected fields of {HISTORY} ({', '.join(sorted(self.added))}), found {', '.join(self.fields)}"
        yield from super()._faults()

    @property
    def model(self) -> str:
        """Leads: what is looked for is which of them changed."""
        return LEADS

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """The whole history of each lead that changed."""
        ask = self._open(session)
        stages = {row["id"]: row["name"] for row in search_read(ask, "crm.stage", [], ["name"])}
        domain = [["model", "=", LEADS], ["name", "in", [*TRACKED]]]
        tracked = {row["id"]: row["name"] for row in search_read(ask, "ir.model.fields", domain, ["name"])}
        kinds = self._kinds(ask, {*TRACKED, "probability", "create_date", "date_conversion"})
        for rows, cursor in self._changed(ask, resumed(since, self.fields), sorted(kinds)):
            leads = [flat(row, kinds) for row in rows]
            changes = self._changes(ask, [lead["id"] for lead in leads], tracked)
            yield Page([record for lead in leads for record in history(lead, changes[lead["id"]], stages)], cursor)

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """What was does not vanish."""
        return None

    def _changes(self, ask: Ask, leads: list[int], tracked: Mapping[int, str]) -> dict[int, list[dict[str, Any]]]:
        """Tracked changes by lead, oldest first.

        Each has ``message``, ``at``, ``by``, ``field``, ``old``, ``new`` and, of related records, their names then.
        """
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        if not leads:
            return found
        kept = [f"{side}_value_{kind}" for side in ("old", "new") for kind in ("char", "float", "integer")]
        domain = [
            ["field_id", "in", [*tracked]],
            ["mail_message_id.model", "=", LEADS],
            ["mail_message_id.res_id", "in", leads],
        ]
        values = search_read(ask, "mail.tracking.value", domain, ["field_id", "mail_message_id", *kept])
        ids = sorted({row["mail_message_id"][0] for row in values})
        messages: dict[int, dict[str, Any]] = {}
        for at in range(0, len(ids), self._page):
            domain = [["id", "in", ids[at : at + self._page]]]
            rows = search_read(ask, "mail.message", domain, ["date", "res_id", "author_id", "subject"])
            messages.update({row["id"]: row for row in rows})
        for row in values:
            message = messages.get(row["mail_message_id"][0])
            # Messages of a lead that was merged into this one have moved here and say so in their subject.
            if message is None or message["subject"]:
                continue
            field = tracked[row["field_id"][0]]
            change = {"message": message["id"], "at": message["date"], "by": (message["author_id"] or (0, None))[1]}
            for side in ("old", "new"):
                change[side] = row[f"{side}_value_{TRACKED[field]}"]
                change[f"{side}_name"] = row[f"{side}_value_char"]
            found[message["res_id"]].append({**change, "field": field})
        for changes in found.values():
            changes.sort(key=lambda change: (change["at"], change["message"]))
        return found


def connect(source: Source, secrets: Mapping[str, str]) -> Connector:
    """The connector of a source: ``crm.lead__history``, or the records of the model it names."""
    is_history = source.connect is not None and source.connect.object == HISTORY
    return (LeadHistory if is_history else Records)(source, secrets)


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


def history(lead: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], stages: Mapping[int, str]) -> list[Record]:
    """The states of a lead, oldest first; the first one is found by undoing all changes.

    Args:
        lead: as it is now.
        changes: as `LeadHistory._changes` gives them.
        stages: names by id. A message has the name too, but in the language of whoever made the change; it serves for
            a stage that is no more.
    """
    moves = [change for change in changes if change["field"] == "stage_id"]
    names = {change[side]: change[f"{side}_name"] for change in moves for side in ("old", "new")} | dict(stages)
    state = {name: lead[name] for name in TRACKED}
    for change in reversed(changes):
        state[change["field"]] = change["old"]
    begin = lead["date_conversion"] or lead["create_date"]
    states: dict[int, dict[str, Any]] = {0: {**state, "at": begin, "by": None}}
    for change in changes:
        state[change["field"]] = change["new"]
        if change["at"] <= begin:
            states[0] |= state
        else:
            states[change["message"]] = {**state, "at": change["at"], "by": change["by"]}

    records: list[Record] = []
    closed = LOST if lead["active"] else stage_of(lead)
    for message, found in reversed(states.items()):
        closed = LOST if found["active"] else closed  # an earlier archiving was undone; it counts as a loss
        records.append(
            {
                "revision": f"{lead['id']}@{message:012d}",
                "id": lead["id"],
                "revised_at": found["at"],
                "revised_by": found["by"],
                "stage": names.get(found["stage_id"]) if found["active"] else closed,
                "stage_id": found["stage_id"] or None,
                "user_id": found["user_id"] or None,
                "expected_revenue": found["expected_revenue"],
            }
        )
    return records[::-1]
