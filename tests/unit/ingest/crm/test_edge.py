"""The edge: secrets come from the environment of the night or from Prefect blocks."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.blocks.system import Secret

from flows.config.sources import Sources
from flows.errors import ConfigError
from flows.ingest import tasks
from flows.workspace import Workspace
from tests.crm_servers.hubspot import TOKEN, HubSpotServer
from tests.crm_servers.pulls import lines

NIGHT = date(2026, 11, 2)


def live(url: str, token: str) -> dict[str, Any]:
    connect = {"crm": "hubspot", "object": "deals", "url": url, "secrets": {"token": token}}
    columns = {"opportunity_id": "id", "stage": "dealstage"}
    given = {"entity": "opportunity", "mode": "delta", "deleted": "archived", "connect": connect, "columns": columns}
    return dict(Sources.model_validate({"sources": {"live": given}}).sources)


@pytest.mark.parametrize("token", ["HUBSPOT_TOKEN", "block:hubspot-token"])
def test_a_secret_is_an_environment_variable_or_a_block(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Secret, "load", {"hubspot-token": Secret(value=TOKEN)}.__getitem__)
    with HubSpotServer() as server:
        deal = server.create("deals", dealstage="new")
        night: Any = SimpleNamespace(workspace=Workspace(tmp_path), as_of=NIGHT, env={"HUBSPOT_TOKEN": TOKEN})
        (file,) = tasks._pull(night, live(server.url, token), [])
    assert file.refusal is None
    assert [record["id"] for record in lines(file.path)] == [deal]


def test_a_block_that_is_not_there_is_a_fault_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Secret, "load", {}.__getitem__)
    night: Any = SimpleNamespace(workspace=Workspace(tmp_path), as_of=NIGHT, env={})
    with pytest.raises(ConfigError, match="expected the Prefect Secret block:hubspot-token, found none"):
        tasks._pull(night, live("https://api.hubapi.com", "block:hubspot-token"), [])
