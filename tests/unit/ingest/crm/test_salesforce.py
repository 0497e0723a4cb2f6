"""Salesforce against a strict server: tokens, jobs, locators, deleted rows, and any fault on the way."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import ConfigError, PermanentError
from flows.ingest.crm.http import PullFailed, PullRefused
from flows.ingest.crm.responses import Garbled
from flows.ingest.crm.salesforce import read_csv
from tests.crm_servers.pulls import Pulls, lines
from tests.crm_servers.salesforce import CLIENT, SECRET, USER, SalesforceServer

ENV = {"SF_ID": CLIENT, "SF_SECRET": SECRET}
SECRETS = {"client_id": "SF_ID", "client_secret": "SF_SECRET"}
FAULTS = (
    "expired",
    "limit",
    "job_gone",
    "job_aborted",
    "job_failed",
    "busy_seconds",
    "busy_date",
    "error_500",
    "error_503",
    "cut",
)


@pytest.fixture()
def server() -> Iterator[SalesforceServer]:
    with SalesforceServer() as running:
        yield running


def source(server: SalesforceServer, **changes: Any) -> dict[str, Any]:
    connect = {
        "crm": "salesforce",
        "object": changes.pop("object", "Opportunity"),
        "url": server.url,
        "secrets": changes.pop("secrets", SECRETS),
        "options": changes.pop("options", {}),
    }
    return {
        "entity": "opportunity",
        "mode": "delta",
        "deleted": "IsDeleted",
        "connect": connect,
        "columns": {"opportunity_id": "Id", "stage": "StageName", "amount": "Amount", "name": "Name"},
    } | changes


def equal_to(server: SalesforceServer, pulls: Pulls) -> None:
    """Hold what is landed to what the server has: which rows live, and their values."""
    landed = pulls.living("Id", "IsDeleted")
    live = server.live("Opportunity")
    assert landed.keys() == live.keys()
    for identifier, row in live.items():
        assert {name: landed[identifier][name] for name in ("StageName", "Amount")} == {
            name: row.get(name) or None for name in ("StageName", "Amount")
        }


def test_the_first_job_lands_every_row_and_the_next_only_what_changed(server: SalesforceServer, tmp_path: Path) -> None:
    ids = [server.create("Opportunity", StageName="New", Name=f'Deal "{at}",\nnext line 甲') for at in range(5)]
    server.clock += timedelta(hours=1)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    assert len(lines(pulls.night().path)) == 5
    assert pulls.landed("Id")[ids[0]] == {
        "Id": ids[0],
        "SystemModstamp": server.objects["Opportunity"][ids[0]]["SystemModstamp"],
        "IsDeleted": "false",
        "StageName": "New",
        "Amount": None,
        "Name": 'Deal "0",\nnext line 甲',
    }
    server.clock += timedelta(days=1)
    server.update("Opportunity", ids[1], StageName="Won")
    server.delete("Opportunity", ids[2])
    before = len(server.calls)
    assert sorted((row["Id"], row["IsDeleted"]) for row in lines(pulls.night().path)) == [
        (ids[1], "false"),
        (ids[2], "true"),
    ]
    assert len(server.calls) - before == 6  # token, describe, job, two looks at it, one set
    equal_to(server, pulls)
    server.undelete("Opportunity", ids[2])
    pulls.night()
    equal_to(server, pulls)


@pytest.mark.parametrize("in_every_set", [True, False])
def test_sets_are_fetched_by_locator_with_or_without_a_repeated_header(
    server: SalesforceServer, tmp_path: Path, in_every_set: bool
) -> None:
    server.extra_header = in_every_set
    for _ in range(7):
        server.create("Opportunity", StageName="New")
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    equal_to(server, pulls)
    assert len(server.answered("/results")) == 4


def test_a_pull_that_was_cut_off_goes_on_in_the_same_job(server: SalesforceServer, tmp_path: Path) -> None:
    for _ in range(7):
        server.create("Opportunity", StageName="New")
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend([None] * 6 + ["limit"])
    with pytest.raises(PullFailed, match="REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded"):
        pulls.night()
    pulls.night()
    equal_to(server, pulls)
    assert len(server.jobs) == 1
    locators = [call.params.get("locator") for call in server.answered("/results")]
    assert len(locators) == len(set(locators)) == 4


def test_a_lost_job_is_made_anew_and_a_bad_query_is_told(server: SalesforceServer, tmp_path: Path) -> None:
    for _ in range(3):
        server.create("Opportunity", StageName="New")
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend([None] * 5 + ["job_gone"])
    pulls.night()
    equal_to(server, pulls)
    for _ in range(3):
        server.plan.extend([None] * 4 + ["job_aborted", None])
    pulls.set(**source(server, columns={"opportunity_id": "Id", "stage": "Stage__c"}))
    server.plan.clear()
    with pytest.raises(PullRefused, match=r"live \(salesforce Opportunity\): expected the fields Stage__c"):
        pulls.night()


def test_what_was_purged_is_found_by_comparing_ids(server: SalesforceServer, tmp_path: Path) -> None:
    ids = [server.create("Opportunity", StageName="New") for _ in range(5)]
    pulls = Pulls(server, tmp_path, ENV, **source(server, options={"sweep_days": 2}))
    pulls.night()
    server.purge("Opportunity", ids[0])
    pulls.night()
    assert ids[0] in pulls.living("Id", "IsDeleted")
    pulls.night()
    equal_to(server, pulls)


def test_a_private_key_signs_for_a_user(server: SalesforceServer, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    server.public_key = key.public_key()
    server.create("Opportunity", StageName="New")
    secrets = {"client_id": "SF_ID", "private_key": "SF_KEY"}
    env = {"SF_ID": CLIENT, "SF_KEY": pem.replace("\n", "\\n")}
    pulls = Pulls(server, tmp_path, env, **source(server, secrets=secrets, options={"username": USER}))
    with pytest.raises(PullRefused, match="invalid_grant: invalid assertion"):
        pulls.night()  # before the vendor's first answer there is only the own clock, and it is at 1970
    pulls.now = server.clock.timestamp
    pulls.night()
    equal_to(server, pulls)
    with pytest.raises(PermanentError, match="private_key to be an RSA key in PEM"):
        Pulls(
            server, tmp_path / "b", env | {"SF_KEY": "no key"},
            **source(server, secrets=secrets, options={"username": USER}),
        ).night()  # fmt: skip


def test_refused_credentials_are_named_without_being_shown(server: SalesforceServer, tmp_path: Path) -> None:
    env = ENV | {"SF_SECRET": "wrong-secret-0987"}
    with pytest.raises(PullRefused) as refused:
        Pulls(server, tmp_path, env, **source(server)).night()
    assert str(refused.value).startswith("live (salesforce Opportunity): 400 invalid_client: bad ***")
    with pytest.raises(ConfigError, match="expected the secret client_secret"):
        Pulls(server, tmp_path, {"SF_ID": CLIENT}, **source(server)).night()


def test_the_last_of_the_days_calls_are_left_to_others(server: SalesforceServer, tmp_path: Path) -> None:
    server.create("Opportunity", StageName="New")
    server.used, server.allowed = 948, 1000
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    with pytest.raises(PullFailed, match="951 of the 1000 API calls of the day are used"):
        pulls.night()
    server.used = 0
    pulls.night()
    equal_to(server, pulls)


def test_field_history_stands_under_the_name_of_the_field(server: SalesforceServer, tmp_path: Path) -> None:
    owner = "005000000000001AAA"
    for field, kind, value in [
        ("StageName", "DynamicEnum", "Won"),
        ("Owner", "EntityId", owner),
        ("Owner", "EntityId", "Jane Doe"),
        ("Name", "Text", "other"),
    ]:
        server.create("OpportunityFieldHistory", OpportunityId="1", Field=field, DataType=kind, NewValue=value)
    columns = {
        "opportunity_id": "OpportunityId",
        "changed_at": "CreatedDate",
        "stage": "StageName",
        "owner_id": "Owner",
    }
    pulls = Pulls(
        server,
        tmp_path,
        ENV,
        **source(
            server,
            object="OpportunityFieldHistory",
            entity="opportunity_history",
            mode="append",
            deleted=None,
            options={"history": ["StageName", "Owner"]},
            columns=columns,
        ),
    )
    pulls.night()
    assert [(row["StageName"], row["Owner"]) for row in lines(pulls.night().path)] == [
        ("Won", None),
        (None, owner),
        (None, None),
        (None, None),
    ]
    queries = [call.body["query"] for call in server.calls if call.path.endswith("/jobs/query")]
    assert "WHERE" not in queries[0]
    assert "WHERE CreatedDate >= 2026-11-01T07:" in queries[1]


def test_a_set_that_is_not_whole_is_asked_for_again() -> None:
    with pytest.raises(Garbled):
        read_csv(b'"Id","Name"\n"1"\n"2","b","c"\n', ["Id", "Name"])
    assert read_csv(b"", ["Id"]) == []
    assert read_csv(b'"id","name"\n"1",""\n', ["Id", "Name"]) == [{"Id": "1", "Name": None}]


# -- any sequence of faults and changes --------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(FAULTS),
        st.tuples(st.sampled_from(["create", "update", "delete", "undelete", "purge"]), st.integers(0, 50)),
    ),
    max_size=25,
)


def change(server: SalesforceServer, kind: str, at: int) -> Callable[[], None]:
    def happen() -> None:
        live = sorted(server.live("Opportunity"))
        deleted = sorted(set(server.objects["Opportunity"]) - set(live))
        if kind == "create" or not live:
            server.create("Opportunity", StageName="New", Amount=str(at))
        elif kind == "update":
            server.update("Opportunity", live[at % len(live)], StageName=f"Stage {at}", Amount=str(at))
        elif kind == "delete":
            server.delete("Opportunity", live[at % len(live)])
        elif kind == "undelete" and deleted:
            server.undelete("Opportunity", deleted[at % len(deleted)])
        elif kind == "purge":
            server.purge("Opportunity", live[at % len(live)])

    return happen


@settings(max_examples=25)
@given(nights=st.lists(STEPS, min_size=1, max_size=3))
def test_after_any_faults_and_changes_a_healthy_night_leaves_what_the_server_has(nights: list[list[Any]]) -> None:
    with SalesforceServer() as server, tempfile.TemporaryDirectory() as folder:
        for at in range(5):
            server.create("Opportunity", StageName="New", Amount=str(at))
        pulls = Pulls(server, Path(folder), ENV, **source(server, options={"sweep_days": 0}, max_shrink=1.0))
        for steps in nights:
            server.plan.extend(change(server, *step) if isinstance(step, tuple) else step for step in steps)
            pulls.night(tries=40)
            server.clock += timedelta(hours=8)
        server.plan.clear()
        pulls.night()
        equal_to(server, pulls)


@settings(max_examples=25)
@given(
    steps=st.lists(st.one_of(st.none(), st.sampled_from([f for f in FAULTS if not f.startswith("job")])), max_size=30)
)
def test_a_pull_that_failed_fetches_no_set_twice(steps: list[str | None]) -> None:
    with SalesforceServer() as server, tempfile.TemporaryDirectory() as folder:
        for at in range(9):
            server.create("Opportunity", StageName="New", Amount=str(at))
        pulls = Pulls(server, Path(folder), ENV, **source(server))
        server.plan.extend(steps)
        file = pulls.night(tries=40)
        equal_to(server, pulls)
        locators = [call.params.get("locator") for call in server.answered("/results")]
        assert len(locators) == len(set(locators)) == 5
        assert len({call.path for call in server.answered("/results")}) == 1  # a cut answer may leave a job unused
        assert len(lines(file.path)) == 9
