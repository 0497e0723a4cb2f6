"""One session: how long it waits, what it tries again, and where it does not go."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import requests

from flows.errors import PermanentError
from flows.ingest.crm.http import Authorization, Limiter, PullFailed, PullRefused, Session
from flows.ingest.crm.responses import judge_status, retry_after
from tests.crm_servers.server import Call, CrmServer, Refusal, Reply

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def clock() -> float:
    return NOON.timestamp()


class Echo(CrmServer):
    """Answers with what was asked, or moves elsewhere."""

    def route(self, call: Call) -> Reply:
        if call.path == "/moved":
            raise Refusal(302, {"message": "gone"}, {"Location": "http://127.0.0.1:1/steal"})
        return Reply(body={"body": call.body, "params": dict(call.params), "who": call.headers.get("authorization")})


@pytest.fixture()
def server() -> Iterator[Echo]:
    with Echo() as running:
        yield running


def response(**headers: str) -> requests.Response:
    made = requests.Response()
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "120"}, 120.0),
        ({"Retry_After": " 1.5 "}, 1.5),
        ({"Retry_After": "Fri, 20 Nov 2026 12:01:00 GMT"}, 60.0),
        ({"Retry_After": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry_After": "Fri, 20 Nov 2026 12:01:00 GMT", "Date": "Fri, 20 Nov 2026 12:00:50 GMT"}, 10.0),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_from_seconds_or_from_a_date_by_the_vendors_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(response(**headers), NOON.timestamp) == seconds


def test_a_cut_or_failing_server_is_asked_again_ever_more_slowly(server: Echo) -> None:
    waits: list[float] = []
    session = Session("crm", server.url, now=clock, sleep=waits.append)
    server.plan.extend(["cut", "error_500", "error_503", "cut", "error_500"])
    assert session.get("thing")["params"] == {}
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert session.requests == len(server.calls) == 6
    server.plan.extend(["error_503"] * 6)
    with pytest.raises(
        PullFailed, match=r"^crm: 503 in maintenance \(6 tries\)\. What has been landed stays; .*on from"
    ):
        session.get("thing")


def test_a_server_that_is_not_there_is_told_by_its_host_alone() -> None:
    session = Session("crm", "http://127.0.0.1:9", now=clock, sleep=lambda _: None)
    with pytest.raises(PullFailed) as failed:
        session.get("path?token=abc")
    assert "could not be reached at 127.0.0.1:9" in str(failed.value)
    assert "token" not in str(failed.value)
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


def test_an_expired_authorization_is_renewed_once(server: Echo) -> None:
    made: list[str] = []

    def authorize(session: Session) -> Authorization:
        made.append(f"token-{len(made)}")
        return Authorization({"Authorization": made[-1]}, {"company": "c-1"})

    def judge(answer: requests.Response) -> object:
        from flows.ingest.crm.responses import Verdict

        return Verdict("renew", "token-0 expired") if b'"token-0"' in answer.content else judge_status(answer)

    session = Session("crm", server.url, now=clock, authorize=authorize, judge=judge, sleep=lambda _: None)
    assert session.post("thing", {"a": 1}) == {"body": {"company": "c-1", "a": 1}, "params": {}, "who": "token-1"}
    session = Session(
        "crm", server.url, now=clock, authorize=lambda _: Authorization({"Authorization": "token-0"}), judge=judge
    )
    with pytest.raises(PullRefused, match=r"^crm: \*\*\* expired\. Check the credentials"):
        session.get("thing")


def test_a_redirect_is_not_followed(server: Echo) -> None:
    with pytest.raises(PullRefused, match="302 gone .moved elsewhere"):
        Session("crm", server.url, now=clock).get("moved")
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://example.com", "https://user:pass@example.com", "example.com"]
)
def test_credentials_go_only_where_they_are_safe(url: str) -> None:
    with pytest.raises(PermanentError, match="expected a url") as refused:
        Session("crm", url, now=clock)
    assert "pass@" not in str(refused.value)


def test_the_vendors_clock_is_read_from_its_answers(server: Echo) -> None:
    session = Session("crm", server.url, now=lambda: 1000.0)
    assert session.vendor_now() == 1000.0
    session.get("thing")
    assert session.vendor_now() == server.clock.timestamp()
    assert format_datetime(server.clock, usegmt=True).endswith("GMT")


def test_calls_are_spread_over_the_window() -> None:
    time = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time[0] += seconds

    limiter = Limiter(3, 10.0, sleep, lambda: time[0])
    for _ in range(3):
        limiter.wait()
        time[0] += 1.0
    limiter.wait()
    limiter.wait()
    assert waits == [7.0, 1.0]
