"""The example configurations of live CRMs: accepted by the loader and by doctor, and their mappings make typed rows."""

import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.config import Config, load
from flows.ingest.crm.pull import Surroundings, pull_sources
from flows.ingest.validation import validate
from flows.operate.doctor import diagnose
from flows.workspace import Workspace
from tests.crm_servers.hubspot import TOKEN, HubSpotServer
from tests.crm_servers.salesforce import CLIENT, SECRET, SalesforceServer
from tests.crm_servers.server import CrmServer

EXAMPLES = Path(__file__).parents[4] / "config" / "examples"
NIGHT = date(2026, 11, 2)
ENV = {
    "HUBSPOT_TOKEN": TOKEN,
    "SALESFORCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": CLIENT,
    "SALESFORCE_CLIENT_SECRET": SECRET,
}


def accepted(config: Config, server: CrmServer, root: Path) -> dict[str, list[dict[str, Any]]]:
    """Accepted rows by source, of one night against a server; nothing may be quarantined or unknown."""
    workspace, sources = Workspace(root), config.sources.sources
    local = {
        name: source.model_copy(update={"connect": source.connect.model_copy(update={"url": server.url})})
        for name, source in sources.items()
        if source.connect
    }
    files = pull_sources(
        local, workspace, NIGHT, [], Surroundings(ENV, now=lambda: 0.0, monotonic=lambda: 0.0, sleep=lambda _: None)
    )
    accounts = validate(files, local, config.settings, config.stages, workspace, NIGHT)
    assert [(account.status, account.rows_quarantined, account.unknown_columns) for account in accounts] == [
        ("accepted", 0, ())
    ] * len(sources)
    return {
        file.source: pl.read_parquet(workspace.build / "accepted" / file.entity / f"{file.file_id}.parquet").to_dicts()
        for file in files
    }


@pytest.mark.parametrize("name", ["hubspot", "salesforce"])
def test_doctor_accepts_the_example_and_misses_its_secrets(name: str, tmp_path: Path) -> None:
    def levels(env: dict[str, str]) -> set[str]:
        found = diagnose(EXAMPLES / name, Workspace(tmp_path), env, today=NIGHT)
        return {item.level for item in found if item.what.startswith(("configuration", "source "))}

    assert levels(ENV) == {"ok"}
    assert levels({"SALESFORCE_URL": "https://acme.my.salesforce.com"}) == {"ok", "fail"}


def test_doctor_names_an_option_that_its_connector_does_not_know(tmp_path: Path) -> None:
    folder = tmp_path / "hubspot"
    shutil.copytree(EXAMPLES / "hubspot", folder)
    sources = folder / "sources.yaml"
    sources.write_text(sources.read_text().replace("{associations: [companies]}", "{assocations: [companies]}"))
    found = [item for item in diagnose(folder, Workspace(tmp_path), ENV, today=NIGHT) if item.level == "fail"]
    assert [item.found.partition(";")[0] for item in found if item.what == "source deals"] == [
        "sources.deals.connect: 'assocations' is no option of hubspot"
    ]


def test_hubspot_becomes_owners_accounts_deals_and_their_history(tmp_path: Path) -> None:
    with HubSpotServer() as server:
        server.owners = [
            {"id": "7", "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "archived": False},
            {"id": "8", "email": "bo@example.com", "firstName": "Bo", "lastName": "Ek", "archived": True},
        ]
        company = server.create("companies", name="Initech", industry="SOFTWARE", hubspot_owner_id="7")
        deal = server.create(
            "deals",
            dealname="Pilot",
            dealstage="qualifiedtobuy",
            amount="1250.5",
            closedate="2026-12-01T02:00:00Z",
            hubspot_owner_id="7",
            hs_manual_forecast_category="BEST_CASE",
        )
        server.link(deal, "companies", company, primary=True)
        server.clock += timedelta(hours=1)
        server.update("deals", deal, dealstage="closedwon")
        rows = accepted(load(EXAMPLES / "hubspot", ENV), server, tmp_path)
    assert [(row["user_id"], row["name"], row["is_active"]) for row in rows["owners"]] == [
        ("7", "Ann Lee", True),
        ("8", "Bo Ek", False),
    ]
    assert [(row["account_id"], row["name"], row["owner_id"], row["_deleted"]) for row in rows["companies"]] == [
        (company, "Initech", "7", False)
    ]
    (won,) = rows["deals"]
    assert (won["opportunity_id"], won["account_id"], won["stage"]) == (deal, company, "won")
    assert (won["amount"], won["currency"], won["forecast_category"]) == (Decimal("1250.50"), "USD", "best_case")
    assert (won["closed_at"], won["closed_on"]) == (datetime(2026, 12, 1, 2), date(2026, 11, 30))  # New York
    assert won["expected_close_on"] == date(2026, 11, 30)
    history = [(row["stage"], row["amount"], row["owner_id"]) for row in rows["deal_history"]]
    assert sorted(history, key=str) == [
        ("qualified", None, None),
        ("won", None, None),
        (None, Decimal("1250.50"), None),
        (None, None, "7"),
        (None, None, None),  # the close date
    ]


def test_salesforce_becomes_users_accounts_opportunities_and_their_history(tmp_path: Path) -> None:
    with SalesforceServer() as server:
        user = server.create(
            "User", Name="Ann Lee", Email="ann@example.com", IsActive="true", **{"UserRole.Name": "West"}
        )
        account = server.create("Account", Name="Initech", Industry="Software", OwnerId=user)
        deal = server.create(
            "Opportunity",
            Name="Pilot",
            StageName="Proposal/Price Quote",
            Amount="1250.5",
            CloseDate="2026-12-01",
            AccountId=account,
            OwnerId=user,
            ForecastCategory="BestCase",
            LastModifiedDate="2026-11-01T08:00:00.000Z",
        )
        gone = server.create("Opportunity", Name="Duplicate", StageName="Prospecting")
        server.delete("Opportunity", gone)
        server.create("OpportunityHistory", OpportunityId=deal, StageName="Prospecting", Amount="1000.0")
        server.create("OpportunityFieldHistory", OpportunityId=deal, Field="Owner", DataType="EntityId", NewValue=user)
        rows = accepted(load(EXAMPLES / "salesforce", ENV), server, tmp_path)
    assert [(row["name"], row["team"], row["is_active"]) for row in rows["users"]] == [("Ann Lee", "West", True)]
    assert [(row["account_id"], row["owner_id"]) for row in rows["accounts"]] == [(account, user)]
    found = {row["opportunity_id"]: row for row in rows["opportunities"]}
    assert {identifier: row["_deleted"] for identifier, row in found.items()} == {deal: False, gone: True}
    assert (found[deal]["stage"], found[deal]["amount"]) == ("proposal", Decimal("1250.50"))
    assert (found[deal]["expected_close_on"], found[deal]["forecast_category"]) == (date(2026, 12, 1), "best_case")
    assert found[deal]["modified_at"] == datetime(2026, 11, 1, 8)
    assert [(row["opportunity_id"], row["stage"], row["amount"]) for row in rows["stage_history"]] == [
        (deal, "prospecting", Decimal("1000.00"))
    ]
    assert [(row["opportunity_id"], row["owner_id"]) for row in rows["owner_history"]] == [(deal, user)]
