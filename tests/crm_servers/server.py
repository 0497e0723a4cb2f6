"""A vendor's server on this machine: strict about its contract, with its own clock, and able to fail on purpose."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

START = datetime(2026, 11, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    """One request as it came in, and how it was answered."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int = 0
    failed: bool = False


@dataclass
class Reply:
    """An answer; ``body`` is JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The request breaks the contract, or asks for what is not there."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.reply = Reply(status, body, dict(headers or {}))


class CrmServer:
    """Base of the vendors' servers.

    Attributes:
        clock: the vendor's time.
        advance: how much it goes on with each request.
        calls: every request, in order.
        plan: what becomes of the next requests: None (answered), the name of a fault (see `faults`), or a function that
            is called before the request is answered, as when somebody changes a record meanwhile.
    """

    def __init__(self) -> None:
        self.clock = START
        self.advance = timedelta(seconds=1)
        self.calls: list[Call] = []
        self.plan: deque[str | Callable[[], None] | None] = deque()
        self.lock = threading.RLock()

    def route(self, call: Call) -> Reply:
        """Answer a request."""
        raise NotImplementedError

    def fault(self, name: str) -> Reply | None:
        """The reply of a fault by name; None cuts the connection in the middle of the true answer."""
        after = (self.clock + timedelta(seconds=7)).replace(microsecond=0)
        faults: dict[str, Reply | None] = {
            "busy_seconds": Reply(429, {"message": "slow down"}, {"Retry-After": "3"}),
            "busy_date": Reply(429, {"message": "slow down"}, {"Retry-After": format_datetime(after, usegmt=True)}),
            "error_500": Reply(500, b"<html>oops</html>", {"Content-Type": "text/html"}),
            "error_503": Reply(503, {"message": "in maintenance"}),
            "cut": None,
        }
        return faults[name]

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"crm": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, call: Call) -> tuple[Reply, bool]:
        """The reply, and whether its connection is cut in the middle."""
        with self.lock:
            self.clock += self.advance
            step = self.plan.popleft() if self.plan else None
            if callable(step):
                step()
            planned = self.fault(step) if isinstance(step, str) else None
            cut = isinstance(step, str) and planned is None
            try:
                reply = planned or self.route(call)
            except Refusal as refusal:
                reply = refusal.reply
            failed = isinstance(step, str)
            self.calls.append(Call(**{**vars(call), "status": 0 if cut else reply.status, "failed": failed}))
            return reply, cut

    def answered(self, path: str = "") -> list[Call]:
        """Requests that were answered as asked for, whose path holds ``path``."""
        return [call for call in self.calls if not call.failed and call.status < 300 and path in call.path]


class _Handler(BaseHTTPRequestHandler):
    crm: CrmServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply, cut = self.crm.answer(Call(self.command, parts.path, params, headers, _body(raw, headers)))
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        fields = {
            "Date": format_datetime(self.crm.clock.replace(microsecond=0), usegmt=True),
            "Content-Type": "application/json;charset=utf-8",
            **reply.headers,
            "Content-Length": str(len(content) if reply.status != 204 else 0),
        }
        head = f"HTTP/1.1 {reply.status} Answer\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        whole = head.encode() + b"\r\n" + (content if reply.status != 204 else b"")
        if cut:
            whole = whole[: len(head) + 2 + len(content) // 2]
            self.close_connection = True
        with suppress(OSError):
            self.wfile.write(whole)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def _body(raw: bytes, headers: Mapping[str, str]) -> Any:
    kind = headers.get("content-type", "").partition(";")[0]
    if not raw:
        return None
    if kind == "application/json":
        try:
            return json.loads(raw)
        except ValueError:
            return raw
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return raw


def iso(moment: datetime) -> str:
    """A moment as vendors write it: ISO 8601, UTC, milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
