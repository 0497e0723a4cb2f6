"""纷享销客 against a strict server: codes instead of statuses, ids instead of offsets, and its limit of calls."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import ConfigError
from flows.ingest.crm.http import PullFailed, PullRefused
from tests.crm_servers.fxiaoke import APP, USER, FxiaokeServer
from tests.crm_servers.pulls import Pulls, lines

ENV = {"FS_ID": APP["appId"], "FS_SECRET": APP["appSecret"], "FS_CODE": APP["permanentCode"]}
FAULTS = ("expired", "busy", "limit", "day", "timeout", "error_503", "cut")


@pytest.fixture()
def server() -> Iterator[FxiaokeServer]:
    with FxiaokeServer() as running:
        yield running


def source(server: FxiaokeServer, **changes: Any) -> dict[str, Any]:
    options = {"open_user_id": USER, **changes.pop("options", {})}
    return {
        "entity": "opportunity",
        "mode": "delta",
        "deleted": "is_deleted",
        "connect": {
            "crm": "fxiaoke",
            "object": "OpportunityObj",
            "url": server.url,
            "secrets": {"app_id": "FS_ID", "app_secret": "FS_SECRET", "permanent_code": "FS_CODE"},
            "options": options,
        },
        "columns": {"opportunity_id": "_id", "stage": "sales_stage", "amount": "amount", "owner_id": "owner"},
    } | changes


def equal_to(server: FxiaokeServer, pulls: Pulls) -> None:
    landed = pulls.living("_id", "is_deleted")
    assert landed.keys() == server.records.keys()
    for identifier, record in server.records.items():
        assert [landed[identifier][name] for name in ("sales_stage", "amount")] == [
            record.get("sales_stage"),
            record.get("amount"),
        ]


def test_records_land_flat_with_times_that_a_mapping_can_read(server: FxiaokeServer, tmp_path: Path) -> None:
    deal = server.create(sales_stage="验证客户", close_date=1_763_654_400_000)
    columns = {"opportunity_id": "_id", "stage": "sales_stage", "owner_id": "owner", "expected_close_on": "close_date"}
    pulls = Pulls(server, tmp_path, ENV, **source(server, columns=columns, options={"dates": ["close_date"]}))
    pulls.night()
    assert pulls.landed("_id")[deal] == {
        "_id": deal,
        "last_modified_time": "2026-11-01T08:00:00Z",
        "is_deleted": False,
        "sales_stage": "验证客户",
        "owner": "1042",
        "close_date": "2025-11-21",  # midnight in Shanghai, the day before in UTC
    }


def test_only_what_changed_is_pulled_and_what_is_gone_is_found_the_same_night(
    server: FxiaokeServer, tmp_path: Path
) -> None:
    server.page = 2
    ids = [server.create(sales_stage="a") for _ in range(5)]
    server.clock += timedelta(hours=1)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    equal_to(server, pulls)
    server.clock += timedelta(days=1)
    server.update(ids[1], sales_stage="b")
    server.delete(ids[2])
    assert [record["_id"] for record in lines(pulls.night().path)] == [ids[1], ids[2]]
    equal_to(server, pulls)


def test_calls_are_held_back_before_the_limit_is_hit(server: FxiaokeServer, tmp_path: Path) -> None:
    server.page = 1
    for _ in range(120):
        server.create(sales_stage="a")
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.advance = timedelta(milliseconds=1)
    pulls.night()
    equal_to(server, pulls)
    assert sum(call.status == 200 for call in server.calls) == 122  # a token, 120 pages, the empty one
    assert pulls.waits and 19 < sum(pulls.waits) < 21


def test_what_a_code_means_is_told_without_its_secrets(server: FxiaokeServer, tmp_path: Path) -> None:
    env = ENV | {"FS_SECRET": "wrong-secret-99"}
    with pytest.raises(PullRefused) as refused:
        Pulls(server, tmp_path, env, **source(server)).night()
    assert str(refused.value) == (
        "live (fxiaoke OpportunityObj): 20006 appId或appSecret错误 ***. Check the secrets app_id and app_secret."
    )
    server.plan.extend([None, "day"])
    with pytest.raises(PullFailed, match="30002 day .*asks to wait 86400 s"):
        Pulls(server, tmp_path, ENV, **source(server)).night()
    with pytest.raises(ConfigError, match=r"expected options\.open_user_id"):
        Pulls(server, tmp_path, ENV, **source(server, options={"open_user_id": ""})).night()


STEPS = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(FAULTS),
        st.tuples(st.sampled_from(["create", "update", "delete"]), st.integers(0, 50)),
    ),
    max_size=20,
)


def change(server: FxiaokeServer, kind: str, at: int) -> Callable[[], None]:
    def happen() -> None:
        ids = sorted(server.records)
        if kind == "create" or not ids:
            server.create(sales_stage="new", amount=str(at))
        elif kind == "update":
            server.update(ids[at % len(ids)], sales_stage=f"stage {at}")
        else:
            server.delete(ids[at % len(ids)])

    return happen


@settings(max_examples=15)
@given(nights=st.lists(STEPS, min_size=1, max_size=3))
def test_after_any_faults_and_changes_a_healthy_night_leaves_what_the_server_has(nights: list[list[Any]]) -> None:
    with FxiaokeServer() as server, tempfile.TemporaryDirectory() as folder:
        server.page = 2
        for at in range(5):
            server.create(sales_stage="new", amount=str(at))
        pulls = Pulls(server, Path(folder), ENV, **source(server, max_shrink=1.0))
        for steps in nights:
            server.plan.extend(change(server, *step) if isinstance(step, tuple) else step for step in steps)
            pulls.night(tries=40)
            server.clock += timedelta(hours=8)
        server.plan.clear()
        pulls.night()
        equal_to(server, pulls)
