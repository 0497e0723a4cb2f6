"""HubSpot against a strict server: what it has is what is landed, whatever happens on the way."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import ConfigError, PermanentError
from flows.ingest.crm.http import PullFailed, PullRefused
from tests.crm_servers.hubspot import TOKEN, HubSpotServer
from tests.crm_servers.pulls import Pulls, lines

ENV = {"HUBSPOT_TOKEN": TOKEN}
FAULTS = ("refused", "busy_seconds", "busy_date", "busy_policy", "busy_day", "error_500", "error_503", "cut")


@pytest.fixture()
def server() -> Iterator[HubSpotServer]:
    with HubSpotServer() as running:
        yield running


def source(server: HubSpotServer, **changes: Any) -> dict[str, Any]:
    options = changes.pop("options", {})
    return {
        "entity": "opportunity",
        "mode": "delta",
        "deleted": "archived",
        "connect": {
            "crm": "hubspot",
            "object": changes.pop("object", "deals"),
            "url": server.url,
            "secrets": {"token": "HUBSPOT_TOKEN"},
            "options": options,
        },
        "columns": {"opportunity_id": "id", "stage": "dealstage", "amount": "amount", "modified_at": "updatedAt"},
    } | changes


def equal_to(server: HubSpotServer, pulls: Pulls) -> None:
    """Hold what is landed to what the server has: which records live, and their values."""
    landed = pulls.living("id", "archived")
    live = server.live("deals")
    assert landed.keys() == live.keys()
    for identifier, properties in live.items():
        assert {name: landed[identifier][name] for name in ("dealstage", "amount")} == {
            name: properties.get(name) for name in ("dealstage", "amount")
        }


def test_the_first_pull_lands_every_record_and_the_next_only_what_changed(
    server: HubSpotServer, tmp_path: Path
) -> None:
    ids = [server.create("deals", dealstage="new", amount=str(at)) for at in range(250)]
    server.clock += timedelta(hours=1)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    assert len(lines(pulls.night().path)) == 250
    equal_to(server, pulls)
    server.clock += timedelta(days=1)
    server.update("deals", ids[3], dealstage="won")
    server.archive("deals", ids[4])
    before = len(server.calls)
    assert [(record["id"], record["archived"]) for record in lines(pulls.night().path)] == [
        (ids[3], False),
        (ids[4], True),
    ]
    # properties, two searches (the second finds no more), a read, the archived list, its read
    assert len(server.calls) - before == 6
    assert pulls.sync().requests == 6
    equal_to(server, pulls)


def test_more_records_of_one_moment_than_a_search_may_find_are_all_landed(
    server: HubSpotServer, tmp_path: Path
) -> None:
    server.search_end, server.page = 5, 4
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.clock += timedelta(days=1)
    with server.lock:
        made = [server.create("deals", dealstage="new") for _ in range(23)]
        for identifier in made:  # all of one moment, as a batch update leaves them
            server.objects["deals"][int(identifier)].indexed = [(server.clock, server.clock)]
    server.search_end = 100  # one page has to fit
    assert len(lines(pulls.night().path)) == 23
    assert all("after" not in call.body for call in server.answered("/search"))


def test_a_change_that_the_search_shows_late_is_found_by_the_next_pull(server: HubSpotServer, tmp_path: Path) -> None:
    deal = server.create("deals", dealstage="new")
    server.clock += timedelta(hours=1)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.clock += timedelta(days=1)
    server.lag = timedelta(minutes=5)
    server.update("deals", deal, dealstage="won")
    pulls.night()
    assert pulls.landed("id")[deal]["dealstage"] == "new"
    server.clock += timedelta(minutes=10)
    pulls.night()
    equal_to(server, pulls)


def test_a_record_that_changes_between_the_pages_of_a_pull_is_landed_as_it_ends(
    server: HubSpotServer, tmp_path: Path
) -> None:
    server.page = 2
    ids = [server.create("deals", dealstage="new") for _ in range(6)]
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend([None, None, None, None, lambda: server.update("deals", ids[0], dealstage="won")])
    server.plan.append(lambda: server.archive("deals", ids[1]))
    pulls.night()
    server.clock += timedelta(days=1)
    pulls.night()
    equal_to(server, pulls)


def test_merged_records_are_landed_as_deleted(server: HubSpotServer, tmp_path: Path) -> None:
    survivor, other = server.create("deals", dealstage="new"), server.create("deals", dealstage="late", amount="9")
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.merge("deals", survivor, other)
    pulls.night()
    equal_to(server, pulls)
    tombstone = pulls.landed("id")[other]
    assert (tombstone["archived"], tombstone["dealstage"], tombstone["amount"]) == (True, "late", "9")
    again = pulls.night()
    assert [record["id"] for record in lines(again.path)] == [survivor]  # within the margin, and no second tombstone


def test_what_vanished_or_came_back_without_a_trace_is_found_by_comparing_ids(
    server: HubSpotServer, tmp_path: Path
) -> None:
    ids = [server.create("deals", dealstage="new") for _ in range(10)]
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.archive("deals", ids[1])
    server.clock += timedelta(hours=1)
    pulls.night()
    server.clock += timedelta(days=1)
    server.purge("deals", ids[0])
    server.restore("deals", ids[1])
    for _ in range(4):
        pulls.night()
    assert ids[0] in pulls.living("id", "archived")
    for _ in range(3):  # the eighth night is seven days after the first
        pulls.night()
    equal_to(server, pulls)


def test_a_sweep_that_would_delete_too_much_deletes_nothing(server: HubSpotServer, tmp_path: Path) -> None:
    ids = [server.create("deals", dealstage="new") for _ in range(10)]
    pulls = Pulls(server, tmp_path, ENV, **source(server, options={"sweep_days": 0}))
    pulls.night()
    for identifier in ids[:5]:
        server.purge("deals", identifier)
    with pytest.raises(PermanentError, match="expected at least 70% of the 10 known records, found 5"):
        pulls.night()
    assert len(pulls.living("id", "archived")) == 10


def test_an_unknown_field_is_kept_and_a_missing_property_is_told(server: HubSpotServer, tmp_path: Path) -> None:
    server.create("deals", dealstage="new")
    server.extra = {"objectWriteTraceId": "t-1"}
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    assert lines(pulls.night().path)[0]["objectWriteTraceId"] == "t-1"
    pulls.set(**source(server, columns={"opportunity_id": "id", "stage": "deal_stage"}))
    with pytest.raises(PullRefused, match=r"live \(hubspot deals\): expected the properties deal_stage"):
        pulls.night()


def test_associations_name_the_primary_company_and_all_of_them(server: HubSpotServer, tmp_path: Path) -> None:
    deals = [server.create("deals", dealstage="new") for _ in range(4)]
    companies = [server.create("companies", name=name) for name in "abc"]
    for company in companies:
        server.link(deals[0], "companies", company, primary=company == companies[2])
        server.link(deals[1], "companies", company, primary=False)
    server.link(deals[2], "companies", companies[0], primary=False)
    pulls = Pulls(server, tmp_path, ENV, **source(server, options={"associations": ["companies"]}))
    pulls.night()
    landed = pulls.landed("id")
    assert [landed[deal]["associations.companies"] for deal in deals] == [companies[2], None, companies[0], None]
    assert [landed[deal]["associations.companies.all"] for deal in deals] == [companies, companies, companies[:1], []]


def test_the_history_of_properties_is_landed_one_value_a_record(server: HubSpotServer, tmp_path: Path) -> None:
    deal = server.create("deals", dealstage="new", amount="100")
    tracked = ["dealstage", "amount"]
    pulls = Pulls(
        server,
        tmp_path,
        ENV,
        **source(
            server,
            entity="opportunity_history",
            mode="append",
            deleted=None,
            options={"history": tracked},
            columns={"opportunity_id": "id", "changed_at": "timestamp", "stage": "dealstage"},
        ),
    )
    pulls.night()
    server.clock += timedelta(days=1)
    server.update("deals", deal, dealstage="won")
    pulls.night()
    changes = sorted(
        (record["timestamp"], record["property"], record["dealstage"], record["amount"])
        for record in pulls.landed("history_id").values()
    )
    assert [change[1:] for change in changes] == [
        ("amount", None, "100"),
        ("dealstage", "new", None),
        ("dealstage", "won", None),
    ]


def test_owners_and_stages_are_read_whole(server: HubSpotServer, tmp_path: Path) -> None:
    server.page = 2
    server.owners = [
        {"id": str(at), "email": f"o{at}@example.com", "userId": at, "archived": at == 4} for at in range(5)
    ]
    columns = {"user_id": "id", "name": "email"}
    pulls = Pulls(server, tmp_path, ENV, **source(server, object="owners", entity="user", columns=columns))
    pulls.night()
    assert {i: record["archived"] for i, record in pulls.landed("id").items()} == {str(at): at == 4 for at in range(5)}
    pulls.set(**source(server, object="pipelines", mode="full", deleted=None))
    assert lines(pulls.night().path) == [
        {
            "id": "won",
            "label": "Won",
            "displayOrder": 1,
            "metadata.isClosed": "true",
            "metadata.probability": "1.0",
            "pipelineId": "default",
            "pipelineLabel": "Sales",
        }
    ]


def test_limits_are_waited_for_as_long_as_they_ask(server: HubSpotServer, tmp_path: Path) -> None:
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend(["busy_seconds", "busy_date", "busy_policy"])
    pulls.night()
    assert pulls.waits == [3.0, 7.0, 10.0]
    server.plan.append("busy_day")
    with pytest.raises(PullFailed, match="daily limit.*asks to wait 86400 s"):
        pulls.night()
    assert len(pulls.waits) == 3


def test_a_refused_token_is_named_without_being_shown(server: HubSpotServer, tmp_path: Path) -> None:
    pulls = Pulls(server, tmp_path, {"HUBSPOT_TOKEN": "pat-na1-wrong-token"}, **source(server))
    with pytest.raises(PullRefused) as refused:
        pulls.night()
    assert "pat-na1" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("live (hubspot deals): 401 INVALID_AUTHENTICATION")
    with pytest.raises(ConfigError, match="expected the secret 'token' for hubspot; HUBSPOT_TOKEN is not set"):
        Pulls(server, tmp_path, {}, **source(server)).night()


def test_a_list_position_that_has_expired_is_given_up(server: HubSpotServer, tmp_path: Path) -> None:
    server.page = 2
    ids = [server.create("deals", dealstage="new") for _ in range(6)]
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend([None] * 5 + ["busy_day"])  # properties, and two pages of ids with their records
    with pytest.raises(PullFailed):
        pulls.night()
    server.expired.add(ids[3])
    server.plan.extend([None, None, server.expired.clear])
    pulls.night()
    assert server.calls[7].status == 400
    assert "after" not in server.calls[8].params
    equal_to(server, pulls)
    server.expired |= {ids[1], ids[3]}  # a list that refuses its own position is not walked for ever
    server.clock += timedelta(days=7)
    with pytest.raises(PullRefused, match="invalid paging cursor"):
        Pulls(server, tmp_path / "other", ENV, **source(server)).night()


# -- any sequence of faults and changes --------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(FAULTS),
        st.tuples(st.sampled_from(["create", "update", "archive", "restore", "purge", "merge"]), st.integers(0, 50)),
    ),
    max_size=25,
)


def change(server: HubSpotServer, kind: str, at: int) -> Callable[[], None]:
    def happen() -> None:
        live = sorted(server.live("deals"))
        archived = sorted(i for i, stored in server.objects["deals"].items() if stored.archived_at)
        if kind == "create" or not live:
            server.create("deals", dealstage="new", amount=str(at))
        elif kind == "update":
            server.update("deals", live[at % len(live)], dealstage=f"stage {at}", amount=str(at))
        elif kind == "archive":
            server.archive("deals", live[at % len(live)])
        elif kind == "restore" and archived:
            server.restore("deals", str(archived[at % len(archived)]))
        elif kind == "purge":
            server.purge("deals", live[at % len(live)])
        elif kind == "merge" and len(live) > 1:
            server.merge("deals", live[at % len(live)], live[(at + 1) % len(live)])

    return happen


@settings(max_examples=25)
@given(nights=st.lists(STEPS, min_size=1, max_size=3), lag=st.sampled_from([0, 40]))
def test_after_any_faults_and_changes_a_healthy_night_leaves_what_the_server_has(
    nights: list[list[Any]], lag: int
) -> None:
    with HubSpotServer() as server, tempfile.TemporaryDirectory() as folder:
        server.page, server.lag = 2, timedelta(seconds=lag)
        for at in range(5):
            server.create("deals", dealstage="new", amount=str(at))
        options = {"sweep_days": 0}
        pulls = Pulls(server, Path(folder), ENV, **source(server, options=options, max_shrink=1.0))
        for steps in nights:
            server.plan.extend(change(server, *step) if isinstance(step, tuple) else step for step in steps)
            pulls.night(tries=40)
            server.clock += timedelta(hours=8)
        server.plan.clear()
        pulls.night()
        equal_to(server, pulls)


@settings(max_examples=25)
@given(steps=st.lists(st.one_of(st.none(), st.sampled_from(FAULTS)), max_size=30))
def test_a_pull_that_failed_asks_again_only_for_the_page_it_lacked(steps: list[str | None]) -> None:
    with HubSpotServer() as server, tempfile.TemporaryDirectory() as folder:
        server.page = 2
        for at in range(9):
            server.create("deals", dealstage="new", amount=str(at))
        pulls = Pulls(server, Path(folder), ENV, **source(server))
        server.plan.extend(steps)
        pulls.night(tries=40)
        equal_to(server, pulls)
        lists = [call.params.get("after") for call in server.answered("/crm/v3/objects/deals") if call.method == "GET"]
        reads = [item["id"] for call in server.answered("/batch/read") for item in call.body["inputs"]]
        assert len(lists) - len(set(lists)) <= pulls.failures + 1  # live and archived lists both begin without a cursor
        assert len(reads) - len(set(reads)) <= 2 * pulls.failures
        assert pulls.sync().requests <= len(server.calls)
        assert len(lines(pulls.workspace.landing / pulls.recorded[-1].isoformat() / "live" / "deals.jsonl")) == 9
