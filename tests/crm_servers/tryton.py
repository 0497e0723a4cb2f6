"""A real Tryton for tests: trytond and its sale_opportunity module on SQLite, in a process of its own, on a free port.

``TrytonServer`` makes the database, starts and ends the server and sets its clock; ``TrytonUser`` works in it as a
client does, through the JSON-RPC that Tryton's own clients use.
"""

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

DATABASE = "crm"
ADMIN, ADMIN_PASSWORD = "admin", "of-the-administrator"
READER, READER_PASSWORD = "planloop", "only-reads-for-planloop"
START_SECONDS = 60


class TrytonServer:
    """A database and the process that serves it.

    Args:
        folder: holds database, configuration, clock and logs.
        port: a free one.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.database = folder / f"{DATABASE}.sqlite"
        self._config = folder / "trytond.conf"
        self._clock = folder / "clock"
        self._config.write_text(
            f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n", encoding="utf-8"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make the database with the modules for opportunities; about half a minute."""
        password = self.folder / "password"
        password.write_text(ADMIN_PASSWORD + "\n", encoding="utf-8")
        self.database.touch()
        modules = ["ir", "res", "sale_opportunity"]
        subprocess.run(
            [sys.executable, "-m", "trytond.cli.admin", "-c", str(self._config), "-d", DATABASE]
            + ["-u", *modules, "--activate-dependencies", "--no-indexes", "--email", "admin@example.com"],
            env={**os.environ, "TRYTONPASSFILE": str(password)},
            check=True,
        )

    def set_clock(self, moment: datetime) -> None:
        """From now on it is ``moment`` (UTC) in the database.

        Never a whole second: Tryton writes one to SQLite in a form that its ``history_revisions`` cannot read.
        """
        if not moment.microsecond:
            raise ValueError(f"{moment}: expected a fraction of a second")
        part = self._clock.with_suffix(".part")
        part.write_text(moment.strftime("%Y-%m-%d %H:%M:%S.%f"), encoding="utf-8")
        part.replace(self._clock)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "trytond.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("tryton_clock.py"))]
                + ["-c", str(self._config), "-d", DATABASE],
                env={**os.environ, "TRYTON_CLOCK": str(self._clock)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(START_SECONDS * 10):
            try:
                requests.post(f"{self.url}/rpc/", json={"id": 0, "method": "common.server.version", "params": []})
            except requests.ConnectionError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"trytond did not start:\n{(self.folder / 'trytond.log').read_text()[-2000:]}")

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the database, past the server."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


class TrytonUser:
    """Somebody who works in Tryton.

    Args:
        server: it runs.
        name: login.
        password: of the login.
    """

    def __init__(self, server: TrytonServer, name: str = ADMIN, password: str = ADMIN_PASSWORD) -> None:
        self.server = server
        self._http = requests.Session()
        self._http.headers["Accept-Encoding"] = "gzip"
        user, token, _ = self._rpc("common.db.login", name, {"password": password})
        proof = base64.b64encode(f"{name}:{user}:{token}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {proof}"
        self.context = self.call("res.user", "get_preferences", True)

    def call(self, model: str, method: str, *arguments: Any, kind: str = "model") -> Any:
        """Call a method of a model, as the desktop and web clients do."""
        return self._rpc(f"{kind}.{model}.{method}", *arguments, getattr(self, "context", {}))

    def create(self, model: str, **values: Any) -> int:
        """Create one record."""
        return int(self.call(model, "create", [values])[0])

    def _rpc(self, method: str, *parameters: Any) -> Any:
        request = {"id": 1, "method": method, "params": _coded(parameters)}
        response = self._http.post(f"{self.server.url}/{DATABASE}/rpc/", json=request, timeout=60)
        response.raise_for_status()
        answer = response.json()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


def _coded(value: Any) -> Any:
    """Values as Tryton's JSON has them."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{part: getattr(value, part) for part in parts}}
    if isinstance(value, dict):
        return {key: _coded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_coded(item) for item in value]
    return value


class Company:
    """A company in a fresh database, and what its people do with opportunities.

    Attributes:
        ann: employee who sells.
        bo: employee who sells.
        customer: party with an address.
        key: of planloop's user application for REST.
    """

    def __init__(self, server: TrytonServer, founded: datetime = datetime(2026, 11, 2, 8, 0, 0, 1, tzinfo=UTC)) -> None:
        server.set_clock(founded)
        self.user = user = TrytonUser(server)
        currency = user.create("currency.currency", name="Euro", symbol="€", code="EUR", digits=2)
        rate = {"date": {"__class__": "date", "year": 2020, "month": 1, "day": 1}, "rate": Decimal(1)}
        user.call("currency.currency", "write", [currency], {"rates": [["create", [rate]]]})
        self.id = user.create("company.company", party=self._party("Hardware GmbH"), currency=currency)
        user.call("res.user", "write", [1], {"companies": [["add", [self.id]]], "company": self.id})
        user.context = user.call("res.user", "get_preferences", True)
        self.ann, self.bo = (
            user.create("company.employee", party=self._party(name), company=self.id) for name in ("Ann", "Bo")
        )
        self.customer = self._party("客户有限公司")
        (group,) = user.call("res.group", "search", [["name", "=", "Sales"]])
        self.reader = user.create(
            "res.user",
            login=READER,
            name="planloop",
            password=READER_PASSWORD,
            groups=[["add", [group]]],
            companies=[["add", [self.id]]],
            company=self.id,
        )
        self.key = self._application_key()

    def lead(self, **values: Any) -> int:
        """A new opportunity in its first state."""
        return self.user.create("sale.opportunity", **{"description": "Deal", "party": self.customer, **values})

    def write(self, opportunity: int, **values: Any) -> None:
        """Change fields."""
        self.user.call("sale.opportunity", "write", [opportunity], values)

    def press(self, button: str, *opportunities: int) -> None:
        """Press a button of the workflow: lead, opportunity, convert, lost, cancel; or delete."""
        self.user.call("sale.opportunity", button, [*opportunities])

    def sell(self, opportunity: int, price: Decimal) -> None:
        """Give the quotation of a converted opportunity a line, quote and confirm it: that wins the opportunity."""
        (row,) = self.user.call("sale.opportunity", "read", [opportunity], ["sales"])
        line = {"type": "line", "quantity": 1, "unit_price": price, "description": "Service"}
        self.user.call("sale.sale", "write", row["sales"], {"lines": [["create", [line]]]})
        for button in ("quote", "confirm"):
            self.user.call("sale.sale", button, row["sales"])

    def _party(self, name: str) -> int:
        return self.user.create("party.party", name=name, addresses=[["create", [{"street": "Weg 1"}]]])

    def _application_key(self) -> str:
        user_application = self.user.create("res.user.application", user=self.reader, application="rest")
        (row,) = self.user.call("res.user.application", "read", [user_application], ["key"])
        return str(row["key"])


class Wire:
    """Between planloop and the server: counts what is asked, and lets something happen at a request.

    Attributes:
        asked: names of the methods asked for, in order.
        before: called with the number of each request (from 1 on) before it is passed on; False cuts the connection.
    """

    def __init__(self, server: TrytonServer) -> None:
        self.asked: list[str] = []
        self.before: Callable[[int], bool] = lambda number: True
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                rpc = self.path.endswith("/rpc/")
                wire.asked.append(json.loads(content)["method"] if rpc else self.path.rpartition("/rest/")[2])
                if not wire.before(len(wire.asked)):
                    self.close_connection = True
                    return
                headers = {name: value for name, value in self.headers.items() if name != "Host"}
                answer = requests.post(server.url + self.path, data=content, headers=headers, stream=True, timeout=60)
                whole = answer.raw.read(decode_content=False)
                self.send_response_only(answer.status_code)
                for name in ("Content-Type", "Content-Encoding", "Content-Language"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(whole)))
                self.end_headers()
                self.wfile.write(whole)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()
