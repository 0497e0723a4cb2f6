"""No secret of any vendor is in a log, a landed file, the state of a pull or an error, at the most talkative level."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.ingest.crm.http import PullRefused
from tests.crm_servers import fxiaoke, hubspot, salesforce
from tests.crm_servers.pulls import Pulls
from tests.crm_servers.server import CrmServer


def hubspot_deals() -> tuple[hubspot.HubSpotServer, dict[str, str], dict[str, Any]]:
    server = hubspot.HubSpotServer()
    server.create("deals", dealstage="new")
    return (
        server,
        {"token": hubspot.TOKEN},
        {"object": "deals", "columns": {"opportunity_id": "id", "stage": "dealstage"}},
    )


def salesforce_opportunities() -> tuple[salesforce.SalesforceServer, dict[str, str], dict[str, Any]]:
    server = salesforce.SalesforceServer()
    server.create("Opportunity", StageName="New")
    secrets = {"client_id": salesforce.CLIENT, "client_secret": salesforce.SECRET}
    return server, secrets, {"object": "Opportunity", "columns": {"opportunity_id": "Id", "stage": "StageName"}}


def fxiaoke_opportunities() -> tuple[fxiaoke.FxiaokeServer, dict[str, str], dict[str, Any]]:
    server = fxiaoke.FxiaokeServer()
    server.create(sales_stage="new")
    secrets = {"app_id": "appId", "app_secret": "appSecret", "permanent_code": "permanentCode"}
    return (
        server,
        {part: fxiaoke.APP[name] for part, name in secrets.items()},
        {
            "object": "OpportunityObj",
            "columns": {"opportunity_id": "_id", "stage": "sales_stage"},
            "options": {"open_user_id": fxiaoke.USER},
        },
    )


@pytest.mark.parametrize(
    ("crm", "make", "expired"),
    [
        ("hubspot", hubspot_deals, "refused"),
        ("salesforce", salesforce_opportunities, "expired"),
        ("fxiaoke", fxiaoke_opportunities, "expired"),
    ],
)
def test_no_secret_leaves_its_request(
    crm: str,
    make: Callable[[], tuple[CrmServer, dict[str, str], dict[str, Any]]],
    expired: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dlt.common.logger.LOGGER", logging.getLogger("dlt"))
    server, secrets, given = make()
    names = {part: f"SECRET_{part.upper()}" for part in secrets}
    with server, caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="dlt"):
        source = {
            "entity": "opportunity",
            "mode": "delta",
            "connect": {
                "crm": crm,
                "url": server.url,
                "object": given["object"],
                "secrets": names,
                "options": given.get("options", {}),
            },
            "columns": given["columns"],
        }
        pulls = Pulls(server, tmp_path, {names[part]: value for part, value in secrets.items()}, **source)
        server.plan.extend([None, None, expired, "error_500", "cut"])
        pulls.night()
        told = []
        for _ in range(3):
            server.plan.extend([None, expired, None, expired, expired])
            try:
                pulls.night()
            except PullRefused as refused:
                told.append(str(refused))
    sent = [str(call.headers.get("authorization", "")).removeprefix("Bearer ") for call in server.calls]
    sent += [str((call.body or {}).get("corpAccessToken", "")) for call in server.calls if isinstance(call.body, dict)]
    hidden = {*secrets.values(), *filter(None, sent)}
    assert len(hidden) >= len(secrets)
    assert "request to http" in caplog.text  # dlt and urllib3 logged the requests, headers and bodies included
    assert "headers=" in caplog.text
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"new" in written.lower()
    for secret in hidden:
        assert secret not in caplog.text
        assert secret.encode() not in written
        assert not any(secret in line for line in told)
