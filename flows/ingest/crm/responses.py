"""What a CRM's answer says: whether it worked, whether to ask again and when, and the vendor's own words."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import requests

_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Verdict:
    """What a response means.

    Attributes:
        kind: ok; renew: the authorization has expired; again: the same request may succeed later; refuse: it will not.
        message: the vendor's words.
        wait: seconds the vendor asks to wait.
        advice: what a person should do about a refusal.
        status: HTTP status.
    """

    kind: Literal["ok", "renew", "again", "refuse"]
    message: str = ""
    wait: float | None = None
    advice: str = ""
    status: int | None = None


class Garbled(ValueError):
    """A response whose body is not what was announced, as after a cut connection; asked for again."""


def read_json(response: requests.Response) -> Any:
    """The JSON of a response.

    Raises:
        Garbled: it is none.
    """
    try:
        return json.loads(response.content)
    except ValueError:
        raise Garbled("the answer is not whole (no valid JSON)") from None


def judge_status(response: requests.Response) -> Verdict:
    """What an HTTP status means where the vendor uses it as the standard says."""
    status = response.status_code
    if 200 <= status < 300:
        return Verdict("ok")
    message = f"{status} {_vendor_message(response)}".strip()
    if status == 401:
        return Verdict("renew", message)
    if status in _BUSY or status >= 500:
        return Verdict("again", message)
    if 300 <= status < 400:
        return Verdict("refuse", f"{message} (moved elsewhere)", advice="State the new address as `url`.")
    if status == 403:
        return Verdict("refuse", message, advice="Allow the credentials to read this object.")
    return Verdict("refuse", message)


def retry_after(response: requests.Response, now: Callable[[], float]) -> float | None:
    """Seconds that a Retry-After header asks to wait, from a number or an HTTP date; None without one."""
    stated = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", stated):
        return float(stated)
    until, since = http_date(stated), http_date(response.headers.get("Date", ""))
    if until is None:
        return None
    return max(until - (now() if since is None else since), 0.0)


def http_date(text: str) -> float | None:
    """A moment of an HTTP header as seconds since the epoch; None where it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None


def _vendor_message(response: requests.Response) -> str:
    """What the vendor says went wrong, from the fields that vendors use for it; else the reason phrase."""
    try:
        found = next(_messages(json.loads(response.content)), None)
    except ValueError:
        found = None
    return found or response.reason or ""


def _messages(body: Any) -> Iterator[str]:
    if isinstance(body, list):
        for item in body:
            yield from _messages(item)
    elif isinstance(body, Mapping):
        code = body.get("errorCode") or body.get("category") or body.get("error")
        text = body.get("message") or body.get("error_description") or body.get("errorMessage")
        if text or isinstance(code, str):
            yield ": ".join(str(part) for part in (code, text) if part and isinstance(part, str | int))
