"""The order of a pull, on a small HubSpot: what is gone on from, pulled again, carried on and told."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.ingest.crm.http import PullFailed, PullRefused
from flows.ingest.crm.pull import Surroundings, pull_sources
from tests.crm_servers.hubspot import TOKEN, HubSpotServer
from tests.crm_servers.pulls import FIRST, Pulls, lines

ENV = {"HUBSPOT_TOKEN": TOKEN}
SECOND = FIRST + timedelta(days=1)


@pytest.fixture()
def server() -> Iterator[HubSpotServer]:
    with HubSpotServer() as running:
        running.page = 2
        yield running


def source(server: HubSpotServer, **changes: Any) -> dict[str, Any]:
    connect = {
        "crm": "hubspot",
        "object": "deals",
        "url": changes.pop("url", server.url),
        "secrets": {"token": "HUBSPOT_TOKEN"},
        "options": changes.pop("options", {}),
    }
    return {
        "entity": "opportunity",
        "mode": "delta",
        "deleted": "archived",
        "connect": connect,
        "columns": {"opportunity_id": "id", "stage": "dealstage"},
    } | changes


def deals(server: HubSpotServer, number: int) -> list[str]:
    ids = [server.create("deals", dealstage="new") for _ in range(number)]
    server.clock += timedelta(hours=1)
    return ids


def test_what_a_killed_pull_wrote_after_its_last_page_is_cut_off(server: HubSpotServer, tmp_path: Path) -> None:
    deals(server, 6)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend([None] * 5 + ["busy_day"])
    with pytest.raises(PullFailed):
        pulls.night()
    file = tmp_path / "landing" / FIRST.isoformat() / "live" / "deals.jsonl"
    assert len(lines(file)) == 4
    with file.open("a") as stream:
        stream.write('{"id":"half a li')
    reads = len(server.answered("/batch/read"))
    assert pulls.night().path == file
    assert [record["id"] for record in lines(file)] == sorted(server.live("deals"))
    assert len(server.answered("/batch/read")) - reads == 1
    assert pulls.sync().phase == "complete"


def test_a_rerun_of_a_night_adds_only_what_has_changed_since(server: HubSpotServer, tmp_path: Path) -> None:
    ids = deals(server, 3)
    server.update("deals", ids[0], dealstage="fresh")  # within the margin, so that each rerun sees it again
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    first = pulls.pull(FIRST)
    assert pulls.pull(FIRST) == first
    server.update("deals", ids[1], dealstage="won")
    again = pulls.pull(FIRST)
    assert again.sha256 != first.sha256
    assert [(record["id"], record["dealstage"]) for record in lines(again.path)][3:] == [(ids[1], "won")]
    server.update("deals", ids[1], dealstage="new")  # as it once was: still a change
    assert len(lines(pulls.pull(FIRST).path)) == 5


def test_a_night_begins_where_the_newest_recorded_one_ended(server: HubSpotServer, tmp_path: Path) -> None:
    ids = deals(server, 3)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.clock += timedelta(days=1)
    server.update("deals", ids[0], dealstage="won")
    assert [record["id"] for record in lines(pulls.pull(SECOND).path)] == [ids[0]]
    server.clock += timedelta(days=1)  # the second night was never recorded
    assert [record["id"] for record in lines(pulls.pull(SECOND + timedelta(days=1)).path)] == [ids[0]]
    assert pulls.sync(SECOND + timedelta(days=1)).base == FIRST.isoformat()


def test_a_field_that_is_mapped_anew_is_pulled_for_every_record(server: HubSpotServer, tmp_path: Path) -> None:
    deals(server, 3)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.clock += timedelta(days=1)
    pulls.set(**source(server, columns={"opportunity_id": "id", "stage": "dealstage", "amount": "amount"}))
    assert len(lines(pulls.night().path)) == 3
    server.clock += timedelta(days=1)
    assert lines(pulls.night().path) == []


def test_quarantined_records_come_again_until_they_are_accepted(server: HubSpotServer, tmp_path: Path) -> None:
    ids = deals(server, 3)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()

    def quarantine(night: date, *rows: int | None) -> None:
        path = pulls.workspace.quarantine_file(night)
        path.parent.mkdir(exist_ok=True)
        places = {"source": ["live"] * len(rows), "file": ["deals.jsonl"] * len(rows), "row": list(rows)}
        pl.DataFrame(places, schema={"source": pl.String, "file": pl.String, "row": pl.Int64}).write_parquet(path)

    quarantine(FIRST, 2, 3)
    server.clock += timedelta(days=1)
    server.update("deals", ids[2], dealstage="mended")
    landed = lines(pulls.night().path)
    assert [(record["id"], record["dealstage"]) for record in landed] == [(ids[2], "mended"), (ids[1], "new")]
    quarantine(SECOND, None)  # the whole file
    server.clock += timedelta(days=1)
    assert lines(pulls.night().path) == landed
    server.clock += timedelta(days=1)
    assert lines(pulls.night().path) == []


def test_a_full_source_is_read_whole_each_night(server: HubSpotServer, tmp_path: Path) -> None:
    ids = deals(server, 3)
    pulls = Pulls(server, tmp_path, ENV, **source(server, mode="full", deleted=None))
    pulls.night()
    server.archive("deals", ids[0])
    assert [record["id"] for record in lines(pulls.pull(FIRST).path)] == ids[1:]
    assert [record["id"] for record in lines(pulls.night().path)] == ids[1:]


def test_a_crm_that_fails_or_refuses_stops_its_source_alone_where_it_may(server: HubSpotServer, tmp_path: Path) -> None:
    deals(server, 3)
    pulls = Pulls(server, tmp_path, ENV, **source(server, refused="ignore"))
    server.plan.append("busy_day")
    with pytest.raises(PullRefused, match="daily limit"):  # told by the file, not raised by the pull
        pulls.pull(FIRST)
    outside = Surroundings({"HUBSPOT_TOKEN": "another-token"}, lambda: 0.0, lambda: 0.0, sleep=lambda _: None)
    (file,) = pull_sources(pulls.sources, pulls.workspace, FIRST, [], outside)
    assert file.refusal is not None
    assert file.refusal.startswith("live (hubspot deals): 401")
    assert (file.name, file.bytes) == ("deals.jsonl", 0)
    pulls.set(**source(server, url="http://crm.example.com"))
    with pytest.raises(PullRefused, match=r"expected a url that begins with https://, found http://crm\.example\.com"):
        pulls.pull(FIRST)


def test_an_answer_that_is_not_as_documented_is_told_in_one_line(server: HubSpotServer, tmp_path: Path) -> None:
    deals(server, 1)
    server.extra = {"properties": None}
    with pytest.raises(PullRefused, match=r"^live \(hubspot deals\): expected an answer as its vendor documents it"):
        Pulls(server, tmp_path, ENV, **source(server)).pull(FIRST)
