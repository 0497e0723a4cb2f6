"""Tryton: the records of a model, and the revisions of one that keeps history such as ``sale.opportunity``.

What is new is found by ``create_date`` and ``write_date``; records that were deleted by comparing ids, which are one
cheap search. Revisions are asked for only of records that changed: when each was revised (``history_revisions``), then
the values as of each of these moments (``_datetime`` in the context). Revisions that were made in one transaction are
one request.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.config.sources import Source
from flows.ingest.crm.by_id import MARGIN_SECONDS, all_ids, changed_records, resumed
from flows.ingest.crm.http import Authorization, PullRefused, Session
from flows.ingest.crm.protocol import Connector, Cursor, Page, Record
from flows.ingest.crm.responses import Verdict, judge_status, read_json

REVISIONS = "__history"
"""What is added to the name of a model to ask for its revisions, as Tryton names the table."""
MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")
FIRST = datetime(1, 1, 1, tzinfo=UTC)


class Records(Connector):
    """Records of one model: those that are new or changed, and the ids of all.

    ``connect.url`` is the server, ``options.database`` its database. Either ``secrets.key`` is the key of a user
    application for REST, or ``options.user`` logs in with ``secrets.password``. The fields are those that the source's
    columns read or ``ignore`` names; those of related records with dots, such as ``party.rec_name``.
    """

    options = frozenset({"database", "user", "page", "id_page", "overlap_seconds"})
    deleted: str | None = "deleted"
    added: frozenset[str] = frozenset({"id", "deleted"})
    """Fields of its records that are no fields of the model to be asked for."""

    def _faults(self) -> Iterator[str]:
        if not self.connect.url:
            yield "expected url: the address of the Tryton server"
        if not self.connect.options.get("database"):
            yield "expected options.database: the name of the database"
        if not self.secrets.get("key") and not (self.secrets.get("password") and self.connect.options.get("user")):
            yield (
                "expected the secret 'key' (a user application for REST), or options.user and the secret 'password'; "
                f"found no value for {', '.join(self.connect.secrets.values()) or 'any secret'}"
            )
        yield from super()._faults()

    @property
    def base_url(self) -> str:
        """Server and database."""
        return f"{(self.connect.url or '').rstrip('/')}/{self.connect.options['database']}"

    @property
    def model(self) -> str:
        """Name of the model in Tryton."""
        return self.connect.object.removesuffix(REVISIONS)

    @property
    def fields(self) -> list[str]:
        """Fields asked for: those mapped or known to be ignored."""
        names = [name for column in self.source.columns.values() for name in column.source_columns]
        return sorted({*names, *self.source.ignore} - self.added)

    def authorize(self, session: Session) -> Authorization:
        """The key of a user application, or a session of a user who logs in."""
        if key := self.secrets.get("key"):
            return Authorization({"Authorization": f"Bearer {key}"})
        user, password = str(self.connect.options["user"]), self.secrets["password"]
        request = {"id": 0, "method": "common.db.login", "params": [user, {"password": password}]}
        answer = session.call("POST", "rpc/", read=read_json, body=request, authorized=False)
        user_id, token = answer["result"][:2]
        session.hide(token)
        proof = base64.b64encode(f"{user}:{user_id}:{token}".encode()).decode()
        return Authorization({"Authorization": f"Session {proof}"})

    def judge(self, response: Any) -> Verdict:
        """By the HTTP status; what an RPC could not do is told in the body of a response with status 200."""
        verdict = judge_status(response)
        if verdict.kind != "ok":
            return verdict
        try:
            body = json.loads(response.content)
        except ValueError:
            return verdict
        if not isinstance(body, dict) or "error" not in body:
            return verdict
        # The second part of an unexpected error is the server's traceback: for its own log, not for a person.
        name, *rest = body["error"] if isinstance(body["error"], list) else [body["error"]]
        words = rest[0] if isinstance(name, str) and name.endswith(("Error", "Exception", "Warning")) else None
        words = words[0] if isinstance(words, list) and words else words
        text = ": ".join(str(part) for part in (name, words) if part)
        return Verdict("again" if name == "ConcurrencyException" else "refuse", text)

    def _ask(
        self, session: Session, method: str, arguments: Mapping[str, Any], *, model: str = "", **context: Any
    ) -> Any:
        """Call a method of the source's model, or of another; inactive records count too."""
        model, context = model or self.model, {"active_test": False, **context}
        if self.secrets.get("key"):
            header = base64.urlsafe_b64encode(json.dumps(context).encode()).decode()
            path, headers = f"rest/model/{model}/{method}", {"X-Tryton-Context": header}
            return session.call("POST", path, read=read_json, body=dict(arguments), headers=headers)
        request = {"id": 0, "method": f"model.{model}.{method}", "params": [*arguments.values(), context]}
        return session.post("rpc/", request)["result"]

    def _search(
        self, session: Session, domain: list[Any], fields: Sequence[str], limit: int, **context: Any
    ) -> list[Record]:
        arguments = {"domain": domain, "offset": 0, "limit": limit, "order": [["id", "ASC"]], "fields_names": [*fields]}
        rows = (_flat(row) for row in self._ask(session, "search_read", arguments, **context))
        return [{field: row.get(field) for field in fields} for row in rows]

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """Records in the order of their ids; one that changes while others are read is read again the next night."""
        for rows, cursor in self._changed(session, self._resumed(session, since), [*self.fields, "id"]):
            yield Page([{**row, "deleted": False} for row in rows], cursor)

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """Ids of all records, in few requests."""
        limit = int(self.connect.options.get("id_page", 50_000))

        def read(after: int) -> list[int]:
            arguments = {"domain": [["id", ">", after]], "offset": 0, "limit": limit, "order": [["id", "ASC"]]}
            return list(self._ask(session, "search", arguments))

        return (Page([{"id": number} for number in ids], cursor) for ids, cursor in all_ids(limit, read))

    def _resumed(self, session: Session, since: Cursor | None) -> Cursor:
        """Where to go on from; the fields are looked at when they are asked for the first time.

        Raises:
            PullRefused: Tryton has no such field. By itself it would only say that something went wrong.
        """
        begin = resumed(since, self.fields)
        if begin:
            return begin
        names = sorted({part for field in self.fields for part in field.split(".")})
        wanted = ["name", "model", "relation"]
        arguments = {
            "domain": [["name", "in", names]],
            "offset": 0,
            "limit": None,
            "order": None,
            "fields_names": wanted,
        }
        known = {
            (row["model"], row["name"]): row["relation"]
            for row in self._ask(session, "search_read", arguments, model="ir.model.field")
        }
        for field in self.fields:
            model = self.model
            for part in field.split("."):
                if (model, part) not in known:
                    raise PullRefused(
                        f"{session.place}: {model} has no field {part!r}, as {field!r} in sources.yaml has it. "
                        "Name the field as Tryton's list of fields (Administration > Models) does."
                    )
                model = known[model, part] or ""
        return begin

    def _changed(self, session: Session, since: Cursor, fields: Sequence[str]) -> Iterator[tuple[list[Record], Cursor]]:
        """Pages of what changed since a cursor, each with the cursor behind it."""
        limit = int(self.connect.options.get("page", 500))

        def read(at: str | None, after: int) -> list[Record]:
            return self._search(session, [["id", ">", after], *self._window(at)], fields, limit)

        return changed_records(since, self.fields, limit, lambda: self._newest(session), read)

    def _window(self, at: str | None) -> list[Any]:
        """The part of a domain that is true for what may have changed since ``at``."""
        if at is None:
            return []
        begin = _coded(self._begin(at))
        return [["OR", ["write_date", ">=", begin], ["create_date", ">=", begin]]]

    def _begin(self, at: str | None) -> datetime:
        """From when on changes are asked for, if those up to ``at`` have been read."""
        if at is None:
            return FIRST
        return datetime.fromisoformat(at) - timedelta(
            seconds=float(self.connect.options.get("overlap_seconds", MARGIN_SECONDS))
        )

    def _newest(self, session: Session) -> str | None:
        """When the newest change was made that can be seen now; None for an empty model."""
        moments = []
        for field in ("create_date", "write_date"):
            arguments = {
                "domain": [[field, "!=", None]],
                "offset": 0,
                "limit": 1,
                "order": [[field, "DESC"]],
                "fields_names": [field],
            }
            moments += [_flat(row)[field] for row in self._ask(session, "search_read", arguments)]
        return max(moments, default=None)


class Revisions(Records):
    """Revisions of the records of a model, oldest first within a record.

    Fields of its own, beside those of the model: ``revision`` (its key), ``id`` (of the record), ``revised_at`` and
    ``revised_by``. A deletion is a revision without values and is left out: the records tell of it.
    """

    key = "revision"
    deleted = None
    added = frozenset({"revision", "id", "revised_at", "revised_by"})

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """Revisions of the records that changed, from the same moment on as the records themselves."""
        since = self._resumed(session, since)
        for rows, cursor in self._changed(session, since, ["id"]):
            yield Page(self._revisions(session, [row["id"] for row in rows], self._begin(since.get("at"))), cursor)

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """Revisions do not vanish."""
        return None

    def _revisions(self, session: Session, ids: Sequence[int], begin: datetime) -> list[Record]:
        if not ids:
            return []
        revised: dict[str, dict[int, str | None]] = defaultdict(dict)
        for moment, record_id, user in self._ask(session, "history_revisions", {"ids": [*ids]}):
            if datetime.fromisoformat(_plain(moment)) >= begin:
                revised[_plain(moment)][record_id] = user
        found = []
        for moment in sorted(revised):
            users = revised[moment]
            domain, as_of = [["id", "in", [*users]]], _coded(datetime.fromisoformat(moment))
            for row in self._search(session, domain, [*self.fields, "id"], len(users), _datetime=as_of):
                own = {"revision": f"{row['id']}@{moment}", "revised_at": moment, "revised_by": users[row["id"]]}
                found.append({**row, **own})
        return found


def connect(source: Source, secrets: Mapping[str, str]) -> Connector:
    """The connector of a source: the revisions of a model whose name ends in ``__history``, else its records."""
    revisions = source.connect is not None and source.connect.object.endswith(REVISIONS)
    return (Revisions if revisions else Records)(source, secrets)


def _coded(moment: datetime) -> dict[str, Any]:
    """A moment as Tryton's JSON has it: in UTC, which is what its database holds."""
    return {"__class__": "datetime", **{part: getattr(moment, part) for part in MOMENT}}


def _plain(value: Any) -> Any:
    """A value of Tryton's JSON as plain JSON: moments and dates in ISO 8601, decimals as text to keep each digit.

    Raises:
        PullRefused: a kind of value that cannot be mapped, such as a file.
    """
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind == "datetime":
        moment = datetime(**{part: value[part] for part in MOMENT}, tzinfo=UTC)
        return moment.isoformat(timespec="microseconds")
    if kind == "date":
        return f"{value['year']:04d}-{value['month']:02d}-{value['day']:02d}"
    if kind == "Decimal":
        return value["decimal"]
    if kind == "timedelta":
        return value["seconds"]
    if kind is None:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    raise PullRefused(f"Tryton: expected a text, number, date or moment, found a value of kind {kind}. Do not map it.")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the values of related ones beside its own: ``{"party.": {"name": …}}`` becomes ``party.name``."""
    return dict(_pairs(row))


def _pairs(row: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in row.items():
        if not name.endswith("."):
            yield path + name, _plain(value)
        elif isinstance(value, Mapping):
            yield from _pairs(value, path + name)
