"""One HTTP session with a CRM: waits, retries, refreshes, counts, and tells what went wrong without telling a secret.

dlt's ``RESTClient`` prepares and sends; the loop around it is ours, because a wait that a vendor asks for is not to be
cut short, an expired token is renewed once, and time is passed in. What is secret is added to a request by an
``AuthBase`` at the last moment: nothing that logs a request sees it. Redirects are not followed, so that no credential
travels on.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar
from urllib.parse import quote, quote_plus, urlsplit

import requests
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.sources.helpers.requests.session import Session as DltSession
from dlt.sources.helpers.rest_client.client import RESTClient
from requests.auth import AuthBase

from flows.errors import PermanentError, TransientError
from flows.ingest.crm.responses import Garbled, Verdict, http_date, judge_status, read_json, retry_after

T = TypeVar("T")
Params = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None
ATTEMPTS = 6
TIMEOUT = (10.0, 120.0)
LONGEST_WAIT = 900.0
"""Seconds that one request may wait in all, of its own or because a vendor asks; beyond, the pull fails for now."""
_SHOWN = 300
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Authorization:
    """What makes a request an authorized one.

    Attributes:
        headers: added to each request.
        body: fields added to each JSON body, for vendors who want their token there.
        base_url: where requests go from now on, for vendors who tell it with the token.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    base_url: str | None = None


class PullFailed(TransientError):
    """The CRM could not be reached or was too busy; what was landed stays, and the next try goes on from there."""


class PullRefused(PermanentError):
    """The CRM refused: credentials, permissions, an object or field that is not there.

    Attributes:
        status: HTTP status of the refusal, None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Limiter:
    """Holds calls to so many in a sliding window of seconds."""

    def __init__(self, calls: int, seconds: float, sleep: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._calls, self._seconds, self._sleep, self._clock = calls, seconds, sleep, clock
        self._sent: deque[float] = deque(maxlen=calls)

    def wait(self) -> None:
        """Return once one more call is within the limit, and count it."""
        if len(self._sent) == self._calls:
            left = self._sent[0] + self._seconds - self._clock()
            if left > 0:
                self._sleep(left)
        self._sent.append(self._clock())


@dataclass(frozen=True)
class _Request:
    """What is asked, before anything secret is added."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    params: Params
    body: Any
    form: Mapping[str, str] | None
    headers: Mapping[str, str] | None


class _AtTheLastMoment(AuthBase):
    """Adds headers and body when everything that logs has been passed."""

    def __init__(self, headers: Mapping[str, str], body: Any, form: Mapping[str, str] | None) -> None:
        self._headers, self._body, self._form = headers, body, form

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """Complete a request."""
        prepared.headers.update(self._headers)
        if self._form is not None:
            prepared.prepare_body(data=dict(self._form), files=None)
        elif self._body is not None:
            prepared.prepare_body(data=None, files=None, json=self._body)
        return prepared


class Session:
    """Requests to one CRM for one source.

    Args:
        place: named in every error: source, vendor and object.
        base_url: https, or http on this machine.
        now: seconds since the epoch, to read the date of a Retry-After and how far the vendor's clock is off.
        authorize: gets an authorization; called at the first request and after one was refused as expired.
        judge: what a response means.
        secrets: values that no error may show.
        limiter: holds back requests.
        sleep: waits.
        attempts: how often one request is tried.
    """

    def __init__(
        self,
        place: str,
        base_url: str,
        *,
        now: Callable[[], float],
        authorize: Callable[["Session"], Authorization] | None = None,
        judge: Callable[[requests.Response], Verdict] | None = None,
        secrets: Iterable[str] = (),
        limiter: Limiter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.place = place
        self.requests = 0
        self._authorize, self._judge, self._limiter = authorize, judge or judge_status, limiter
        self._sleep, self._now, self._attempts = sleep, now, attempts
        self._authorization: Authorization | None = None
        self._skew: float | None = None
        self._secrets: set[str] = set()
        self.hide(*secrets)
        http = DltSession(timeout=TIMEOUT, raise_for_status=False)
        http.headers["User-Agent"] = "planloop"
        self._client = RESTClient(check_url(base_url, place), session=http, config=RuntimeConfiguration())

    @property
    def base_url(self) -> str:
        """Where requests go now."""
        return self._client.base_url

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    def vendor_now(self) -> float:
        """Seconds since the epoch by the vendor's clock, as its newest answer told it; ours before the first answer."""
        return self._now() if self._skew is None else self._now() + self._skew

    def pause(self, seconds: float) -> None:
        """Wait for something that the vendor is doing."""
        self._sleep(seconds)

    def hide(self, *values: str) -> None:
        """Keep values out of errors from now on, as they are and as they are written in URLs and JSON."""
        for value in values:
            if len(value) >= 4:
                self._secrets |= {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}

    def authorize(self) -> None:
        """Get the authorization now, if there is none yet."""
        self._proof()

    def renew(self) -> None:
        """Forget the authorization; the next request gets a new one."""
        self._authorization = None

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer to a GET."""
        return self.call("GET", path, read=read_json, params=params)

    def post(self, path: str, body: Any) -> Any:
        """The JSON answer to a POST of JSON."""
        return self.call("POST", path, read=read_json, body=body)

    def call(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        *,
        read: Callable[[requests.Response], T],
        params: Params = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        authorized: bool = True,
    ) -> T:
        """Send one request until it is answered.

        Args:
            method: HTTP method.
            path: below the base URL, or a URL.
            read: makes the value of an accepted response; raises `Garbled` where the response is not whole.
            params: of the URL; never anything secret. A function is asked again for each try.
            body: sent as JSON.
            form: sent as a form, instead of ``body``.
            headers: of this request alone.
            authorized: False for the request that gets the authorization.

        Raises:
            PullFailed: not reachable or too busy, for longer than one request may take.
            PullRefused: refused.
        """
        request = _Request(method, path, params, body, form, headers)
        attempt, waited, renewed = 1, 0.0, False
        while True:
            verdict, answer = self._try(request, read, authorized)
            if verdict.kind == "ok":
                return answer[0]
            if verdict.kind == "renew" and authorized and not renewed:
                self.renew()
                renewed = True
                continue
            if verdict.kind in ("refuse", "renew"):
                raise self._refused(verdict)
            wait = min(2.0 ** (attempt - 1), 60.0) if verdict.wait is None else max(verdict.wait, 0.0)
            waited += wait
            if attempt >= self._attempts or waited > LONGEST_WAIT:
                raise self._failed(verdict, attempt, wait)
            self._sleep(wait)
            attempt += 1

    def _try(
        self, request: _Request, read: Callable[[requests.Response], T], authorized: bool
    ) -> tuple[Verdict, list[T]]:
        """One request: what its response means, and the value of an accepted one."""
        proof = self._proof() if authorized else Authorization()
        response = self._send(request, proof)
        if isinstance(response, Verdict):
            return response, []
        verdict = replace(self._judge(response), status=response.status_code)
        if verdict.kind == "again" and verdict.wait is None:
            verdict = replace(verdict, wait=retry_after(response, self._now))
        if verdict.kind != "ok":
            return verdict, []
        try:
            return verdict, [read(response)]
        except Garbled as error:
            return Verdict("again", str(error)), []

    def _send(self, request: _Request, proof: Authorization) -> requests.Response | Verdict:
        """The response, or what it means that there is none."""
        body = {**proof.body, **(request.body or {})} if proof.body else request.body
        params = request.params() if callable(request.params) else request.params
        if self._limiter:
            self._limiter.wait()
        self.requests += 1
        try:
            response = self._client.request(
                request.path,
                request.method,
                params=dict(params) if params else None,
                headers=dict(request.headers) if request.headers else None,
                auth=_AtTheLastMoment(proof.headers, body, request.form),
                allow_redirects=False,
            )
        except requests.exceptions.SSLError:
            return Verdict("refuse", "its certificate could not be verified", advice="Check the url and the proxy.")
        except requests.exceptions.Timeout:
            return Verdict("again", "did not answer in time")
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            return Verdict("again", "the connection was cut in the middle of an answer")
        except requests.exceptions.ConnectionError:
            return Verdict("again", f"could not be reached at {urlsplit(self.base_url).netloc}, or was cut off")
        except requests.exceptions.RequestException as error:
            return Verdict("refuse", type(error).__name__, advice="Check the url.")
        stated = http_date(response.headers.get("Date", ""))
        self._skew = self._skew if stated is None else stated - self._now()
        return response

    def _proof(self) -> Authorization:
        if self._authorization is None:
            proof = self._authorize(self) if self._authorize else Authorization()
            self.hide(*(word for text in proof.headers.values() for word in text.split()))
            self.hide(*(value for value in proof.body.values() if isinstance(value, str)))
            if proof.base_url:
                self._client.base_url = check_url(proof.base_url, self.place)
            self._authorization = proof
        return self._authorization

    def clean(self, text: str) -> str:
        """A vendor's words as one line without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        text = re.sub(r"\s+", " ", text).strip()
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

    def _refused(self, verdict: Verdict) -> PullRefused:
        advice = verdict.advice or (
            "Check the credentials that `secrets` names and what they are allowed to read."
            if verdict.kind == "renew"
            else "Mend what it names, then run again."
        )
        return PullRefused(f"{self.place}: {self.clean(verdict.message)}. {advice}", verdict.status)

    def _failed(self, verdict: Verdict, attempts: int, wait: float) -> PullFailed:
        asked = f", asks to wait {wait:.0f} s" if verdict.wait is not None else ""
        return PullFailed(
            f"{self.place}: {self.clean(verdict.message)} ({attempts} tries{asked}). What has been landed stays; "
            "run again later and it goes on from there."
        )


def check_url(url: str, place: str) -> str:
    """``url`` without a trailing slash, if credentials may be sent there.

    Raises:
        PermanentError: neither https nor this machine, or with a name or password in it.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise PermanentError(
            f"{place}: expected a url that begins with https://, found {parts.scheme}://{parts.hostname}."
        )
    if parts.username or parts.password:
        raise PermanentError(f"{place}: expected a url without name and password; name them under `secrets`.")
    return url.rstrip("/")
