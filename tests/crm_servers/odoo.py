"""Odoo as its documentation and source (17.0, JSON-2 of 19.0) describe it, in memory and strict.

Moments are kept with microseconds and shown without; a domain compares what is kept. Errors of JSON-RPC come with HTTP
status 200. Records without an ``order`` come in the order of their model. Every request is a transaction of its own.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.crm_servers.server import Call, CrmServer, Refusal, Reply

DATABASE, LOGIN, KEY, USER_ID = "company", "planloop@example.com", "0123abcd-odoo-api-key-4567efgh", 7
Values = dict[str, Any]

BASE = {"id": "integer", "create_date": "datetime", "write_date": "datetime"}
MODELS: dict[str, dict[str, str]] = {
    "crm.lead": {
        "name": "char",
        "active": "boolean",
        "type": "selection",
        "priority": "selection",
        "stage_id": "many2one:crm.stage",
        "user_id": "many2one:res.users",
        "partner_id": "many2one:res.partner",
        "lost_reason_id": "many2one:crm.lost.reason",
        "expected_revenue": "monetary",
        "probability": "float",
        "date_deadline": "date",
        "date_closed": "datetime",
        "date_conversion": "datetime",
    },
    "crm.stage": {"name": "char", "sequence": "integer", "is_won": "boolean"},
    "crm.lost.reason": {"name": "char", "active": "boolean"},
    "res.partner": {"name": "char", "active": "boolean"},
    "res.users": {"name": "char", "active": "boolean", "login": "char"},
    "mail.activity": {"summary": "char", "res_model": "char", "res_id": "integer", "date_deadline": "date"},
    "mail.message": {
        "date": "datetime",
        "model": "char",
        "res_id": "integer",
        "subject": "char",
        "author_id": "many2one:res.partner",
    },
    "mail.tracking.value": {
        "field_id": "many2one:ir.model.fields",
        "mail_message_id": "many2one:mail.message",
        **{f"{side}_value_{kind}": kind for side in ("old", "new") for kind in ("integer", "float", "char")},
    },
    "ir.model.fields": {"name": "char", "model": "char"},
}
ORDERS = {
    "crm.lead": "priority desc, id desc",
    "crm.stage": "sequence, name, id",
    "mail.message": "id desc",
    "mail.tracking.value": "id desc",
    "mail.activity": "date_deadline",
    "res.partner": "name",
    "res.users": "name, login",
}
ADMIN_ONLY = {"mail.tracking.value"}
TRACKED = ("stage_id", "active", "user_id", "expected_revenue", "lost_reason_id", "type")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, these: value in these,
    "not in": lambda value, these: value not in these,
}


class OdooServer(CrmServer):
    """Models with their records, and people who work with leads.

    Attributes:
        rows: records by model and id.
        past: by lead, the states it has been in as an opportunity: (second, stage, user, revenue).
        is_admin: whether planloop's user may read what administrators may.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[int, Values]] = {model: {} for model in MODELS}
        self.past: dict[int, list[tuple[str, str, int | None, float]]] = {}
        self.is_admin = True
        self._last: dict[str, int] = {}
        for name in MODELS["crm.lead"]:
            self.insert("ir.model.fields", name=name, model="crm.lead")
        self.stages = [
            self.insert("crm.stage", name=name, sequence=at, is_won=name == "Won")
            for at, name in enumerate(("New", "Proposition", "Won"))
        ]
        self.users = [self.insert("res.users", name=name, login=name.lower(), active=True) for name in ("Ann", "Bo")]
        self.author = self.insert("res.partner", name="Ann", active=True)

    # -- what people do in the CRM -------------------------------------------------------------------------------

    def insert(self, model: str, /, **values: Any) -> int:
        self._last[model] = self._last.get(model, 0) + 1
        defaults = {name: 0 if kind in ("monetary", "float") else False for name, kind in MODELS[model].items()}
        now = {"id": self._last[model], "create_date": self.clock, "write_date": self.clock}
        self.rows[model][self._last[model]] = {**defaults, **now, **values}
        return self._last[model]

    def create(self, **values: Any) -> int:
        """A new opportunity, or lead."""
        given = {"active": True, "type": "opportunity", "priority": "0", "stage_id": self.stages[0], "probability": 10}
        lead = self.insert("crm.lead", **{**given, "name": "deal", **values})
        self.past[lead] = []
        self._remember(lead)
        return lead

    def write(self, lead: int, **values: Any) -> None:
        """Change fields; what is tracked is told in one message."""
        row = self.rows["crm.lead"][lead]
        changed = {name: value for name, value in values.items() if name in TRACKED and row[name] != value}
        if changed:
            message = self.insert("mail.message", date=self.clock, model="crm.lead", res_id=lead, author_id=self.author)
            fields = {field["name"]: field["id"] for field in self.rows["ir.model.fields"].values()}
            for name, value in changed.items():
                kind = MODELS["crm.lead"][name]
                sides = {}
                for side, this in (("old", row[name]), ("new", value)):
                    if kind.startswith("many2one"):
                        sides[f"{side}_value_integer"] = this or 0
                        sides[f"{side}_value_char"] = self._name(kind.partition(":")[2], this) if this else ""
                    elif kind == "boolean":
                        sides[f"{side}_value_integer"] = int(this)
                    elif kind == "monetary":
                        sides[f"{side}_value_float"] = this
                    else:
                        sides[f"{side}_value_char"] = str(this)
                self.insert("mail.tracking.value", field_id=fields[name], mail_message_id=message, **sides)
        row.update(values, write_date=self.clock)
        self._remember(lead)

    def lose(self, lead: int) -> None:
        self.write(lead, active=False, probability=0, date_closed=self.clock)

    def restore(self, lead: int) -> None:
        self.write(lead, active=True, probability=10, date_closed=False)

    def convert(self, lead: int) -> None:
        """Make an opportunity of a lead."""
        self.past[lead] = []
        self.write(lead, type="opportunity", date_conversion=self.clock)

    def unlink(self, model: str, identifier: int) -> None:
        """Delete a record; a lead's messages go with it."""
        del self.rows[model][identifier]
        if model == "crm.lead":
            self._drop("mail.message", lambda row: row["res_id"] == identifier)
            self._drop("mail.tracking.value", lambda row: row["mail_message_id"] not in self.rows["mail.message"])
            self.past.pop(identifier)

    def merge(self, survivor: int, other: int) -> None:
        """Merge a lead into another: its messages move, with a subject that says where from."""
        for message in self.rows["mail.message"].values():
            if message["res_id"] == other:
                message.update(res_id=survivor, subject="From deal", write_date=self.clock)
        self.unlink("crm.lead", other)
        self.write(survivor, name="merged")

    def _drop(self, model: str, which: Callable[[Values], bool]) -> None:
        self.rows[model] = {at: row for at, row in self.rows[model].items() if not which(row)}

    def _remember(self, lead: int) -> None:
        row = self.rows["crm.lead"][lead]
        stage = self._name("crm.stage", row["stage_id"]) if row["active"] else "lost"
        state = (stage, row["user_id"] or None, row["expected_revenue"])
        if row["type"] == "opportunity" and (not self.past[lead] or self.past[lead][-1][1:] != state):
            self.past[lead].append((shown(self.clock), *state))

    # -- the contract --------------------------------------------------------------------------------------------

    def fault(self, name: str) -> Reply | None:
        if name == "rolled_back":
            told = ("psycopg2.errors.SerializationFailure", "could not serialize access")
            return Reply(500, _exception(*told)) if self._is_json_2 else _error(*told)
        return Reply(502, b"bad gateway") if name == "gateway" else super().fault(name)

    def answer(self, call: Call) -> tuple[Reply, bool]:
        self._is_json_2 = call.path.startswith("/json/2/")
        return super().answer(call)

    def route(self, call: Call) -> Reply:
        if call.method != "POST" or call.headers.get("content-type") != "application/json":
            raise Refusal(400, b"<p>Bad Request</p>", {"Content-Type": "text/html"})
        if call.path == "/jsonrpc":
            return self._json_rpc(call.body)
        if call.path.startswith("/json/2/"):
            return self._json_2(call)
        raise Refusal(404, b"<p>Not Found</p>", {"Content-Type": "text/html"})

    def _json_rpc(self, body: Any) -> Reply:
        if not isinstance(body, dict) or not isinstance(body.get("params"), dict):
            raise Refusal(400, b"Invalid JSON-RPC data")
        parameters = body["params"]
        if parameters.keys() != {"service", "method", "args"}:
            return _error("builtins.TypeError", "JSONRPC.jsonrpc() got unexpected arguments")
        arguments = parameters["args"]
        if (parameters["service"], parameters["method"]) == ("common", "authenticate"):
            database, login, key, _ = arguments
            if database != DATABASE:
                return _error("psycopg2.OperationalError", f'database "{database}" does not exist')
            return Reply(body=_result(body, USER_ID if (login, key) == (LOGIN, KEY) else False))
        if (parameters["service"], parameters["method"]) != ("object", "execute_kw"):
            return _error("builtins.KeyError", "unknown service")
        database, user_id, key, model, method, positional, named = arguments
        if (database, user_id, key) != (DATABASE, USER_ID, KEY):
            return _error("odoo.exceptions.AccessDenied", "Access Denied")
        try:
            return Reply(body=_result(body, self._call(model, method, positional, dict(named))))
        except _Fault as fault:
            return _error(fault.name, str(fault))

    def _json_2(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"bearer {KEY}":
            raise Refusal(401, _exception("werkzeug.exceptions.Unauthorized", "Invalid apikey"))
        if call.headers.get("x-odoo-database", DATABASE) != DATABASE:
            raise Refusal(404, _exception("werkzeug.exceptions.NotFound", "no such database"))
        _, _, _, model, method = call.path.split("/")
        named = dict(call.body or {})
        if named.pop("ids", []):
            raise Refusal(422, _exception("builtins.TypeError", f"cannot call {method} with ids"))
        try:
            return Reply(body=self._call(model, method, [], named))
        except _Fault as fault:
            raise Refusal(403 if "Access" in fault.name else 422, _exception(fault.name, str(fault))) from None

    def _call(self, model: str, method: str, positional: list[Any], named: Values) -> Any:
        if positional:
            raise _Fault("builtins.TypeError", f"{method}() got positional arguments")
        if model not in MODELS:
            raise _Fault("builtins.KeyError", model)
        if model in ADMIN_ONLY and not self.is_admin:
            raise _Fault("odoo.exceptions.AccessError", f"You are not allowed to access '{model}' records.")
        context = named.pop("context", {})
        allowed = {
            "search": {"domain", "offset", "limit", "order"},
            "search_read": {"domain", "fields", "offset", "limit", "order"},
            "fields_get": {"allfields", "attributes"},
        }
        if method not in allowed or named.keys() - allowed[method]:
            raise _Fault("builtins.TypeError", f"{method}() got an unexpected keyword argument")
        if method == "fields_get":
            kinds = {**BASE, **MODELS[model]}
            return {n: {"type": kinds[n].partition(":")[0]} for n in named.get("allfields") or kinds if n in kinds}
        found = self._search(model, context, **{name: named[name] for name in named.keys() - {"fields"}})
        if method == "search":
            return [row["id"] for row in found]
        return [{name: self._shown(model, name, row) for name in ("id", *named["fields"])} for row in found]

    def _search(
        self, model: str, context: Values, domain: list[Any], offset: int = 0, limit: int | None = None, order: str = ""
    ) -> list[Values]:
        if "active" in MODELS[model] and context.get("active_test", True) and "active" not in str(domain):
            domain = [["active", "=", True], *domain]
        found = [row for row in self.rows[model].values() if self._matches(model, row, domain)]
        for part in reversed((order or ORDERS.get(model, "id")).split(",")):
            name, _, direction = part.strip().partition(" ")
            self._kind(model, name)
            found.sort(key=lambda row: row[name], reverse=direction.strip().lower() == "desc")
        return found[offset : offset + limit if limit else None]

    def _matches(self, model: str, row: Values, domain: list[Any]) -> bool:
        """The domain in prefix notation; terms without an operator are joined by and."""
        values: list[bool] = []
        for term in reversed(domain):
            if term in ("&", "|"):
                one, other = values.pop(), values.pop()
                values.append((one and other) if term == "&" else (one or other))
            elif term == "!":
                values.append(not values.pop())
            else:
                values.append(self._holds(model, row, *term))
        return all(values)

    def _holds(self, model: str, row: Values, path: str, sign: str, expected: Any) -> bool:
        name, _, rest = path.partition(".")
        kind = self._kind(model, name)
        value = row[name]
        if rest:
            target = kind.partition(":")[2]
            return bool(value) and self._holds(target, self.rows[target][value], rest, sign, expected)
        if sign not in OPERATORS:
            raise _Fault("builtins.ValueError", f"Invalid operator {sign!r}")
        if kind == "datetime" and isinstance(expected, str):
            expected = datetime.fromisoformat(expected).replace(tzinfo=self.clock.tzinfo)
        if value is False and sign in ("<", "<=", ">", ">="):
            return False
        return OPERATORS[sign](value, expected)

    def _kind(self, model: str, name: str) -> str:
        kinds = {**BASE, **MODELS[model]}
        if name not in kinds:
            raise _Fault("builtins.ValueError", f"Invalid field {model}.{name} in leaf")
        return kinds[name]

    def _shown(self, model: str, name: str, row: Values) -> Any:
        kind, value = self._kind(model, name), row[name]
        if kind.startswith("many2one"):
            return [value, self._name(kind.partition(":")[2], value)] if value else False
        return shown(value) if isinstance(value, datetime) else value

    def _name(self, model: str, identifier: int) -> str:
        return str(self.rows[model][identifier].get("name") or f"{model},{identifier}")


class _Fault(Exception):
    """An exception of Odoo's, by its name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def shown(moment: datetime) -> str:
    """A moment as Odoo shows it: UTC, without a zone and without fractions."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _result(request: Mapping[str, Any], result: Any) -> Values:
    return {"jsonrpc": "2.0", "id": request.get("id"), "result": result}


def _exception(name: str, message: str) -> Values:
    return {"name": name, "message": message, "arguments": [message], "context": {}, "debug": f"Traceback …{KEY}"}


def _error(name: str, message: str) -> Reply:
    error = {"code": 200, "message": "Odoo Server Error", "data": _exception(name, message)}
    return Reply(body={"jsonrpc": "2.0", "id": 1, "error": error})
