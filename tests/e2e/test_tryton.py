"""Nights against a real Tryton: people work on deals through its API, and planloop publishes what it revised.

The truth is read from Tryton's own history table by SQL, past every API. What planloop asks for is counted on the wire.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from flows.config import load
from flows.config.sources import Sources
from flows.ingest.crm.http import PullFailed, PullRefused
from flows.ingest.crm.pull import Surroundings, pull_sources
from flows.workspace import Workspace
from tests.crm_servers.nights import night
from tests.crm_servers.pulls import lines
from tests.crm_servers.tryton import READER, READER_PASSWORD, Company, TrytonServer, Wire
from tests.integration.conftest import EXAMPLES, PROJECT, free_port

CONFIG = EXAMPLES / "tryton"
ZONE = ZoneInfo("Europe/Berlin")
OPEN = ("lead", "opportunity", "converted")
FIRST = date(2026, 11, 2)
KEY = "TRYTON_KEY"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    running = TrytonServer(tmp_path_factory.mktemp("tryton"), free_port())
    running.create()
    running.set_clock(at(FIRST, 8))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def company(server: TrytonServer) -> Company:
    return Company(server, at(FIRST, 8))


@pytest.fixture()
def wire(server: TrytonServer) -> Iterator[Wire]:
    between = Wire(server)
    yield between
    between.close()


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of a day in UTC; Berlin is an hour ahead."""
    return datetime(day.year, day.month, day.day, hour, minute, 0, 250_000, tzinfo=UTC)


# -- the truth, by SQL ------------------------------------------------------------------------------


def revisions(server: TrytonServer) -> dict[int, list[tuple[str, str, str | None, int | None]]]:
    """Moment, state, amount and employee of each revision, by opportunity; without tombstones.

    Changes of one transaction are one revision: the last of them counts.
    """
    found: dict[int, dict[str, tuple[str, str, str | None, int | None]]] = {}
    for number, moment, state, amount, employee, created in server.sql(
        "select id, coalesce(write_date, create_date), state, amount, employee, create_date "
        "from sale_opportunity__history order by __id"
    ):
        if created is not None:
            text = moment.replace(" ", "T") + "+00:00"
            found.setdefault(number, {})[text] = (text, state, amount and amount.decode(), employee)
    return {number: [by_moment[moment] for moment in sorted(by_moment)] for number, by_moment in found.items()}


def living(server: TrytonServer) -> set[int]:
    return {number for (number,) in server.sql("select id from sale_opportunity")}


def spells(server: TrytonServer, nights: list[date]) -> list[tuple[Any, ...]]:
    """Stays in open states: opportunity, number, state, first day, day of leaving, state that followed.

    A night is recorded as of a day: what was changed after midnight and before the night counts for that day.
    """
    found = []
    for number, revised in sorted(revisions(server).items()):
        days = []
        for moment, state, *_ in revised:
            day = datetime.fromisoformat(moment).astimezone(ZONE).date()
            days.append((min(day, nights[-1]), state))
        entries = [next(same) for _, same in groupby(days, key=lambda entry: entry[1])]
        stays = [*pairwise(entries), (entries[-1], (None, None))]
        opened = [stay for stay in stays if stay[0][1] in OPEN]
        for no, ((entered, state), (left, following)) in enumerate(opened, start=1):
            if number in living(server):
                found.append((str(number), no, state, entered, left, following))
    return found


# -- nights ------------------------------------------------------------------------------


SPELLS = """
    select opportunity_id, spell_no, stage, entered_on, left_on, next_stage, is_deal_deleted
    from marts.fct_stage_spell
    order by opportunity_id::int, spell_no
"""


def start_night(workspace: Path, day: date) -> subprocess.Popen[bytes]:
    """A night in a process of its own, which can be killed."""
    words = [sys.executable, "-m", "tests.crm_servers.nights", str(CONFIG), str(workspace), day.isoformat()]
    return subprocess.Popen(words, cwd=PROJECT, start_new_session=True)


def landed(workspace: Path, day: date, source: str) -> list[dict[str, Any]]:
    (path,) = (
        path for path in (workspace / "landing" / day.isoformat() / source).glob("*.jsonl") if path.name != "ids.jsonl"
    )
    return lines(path)


def test_night_after_night_the_spells_are_those_of_trytons_revisions_and_only_what_changed_is_asked_for(
    server: TrytonServer, company: Company, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"TRYTON_URL": wire.url, KEY: company.key}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    days = [FIRST + timedelta(days=n) for n in range(4)]
    done: list[date] = []

    def night_is_right(day: date) -> list[tuple[Any, ...]]:
        """Held to Tryton's revisions; gives the stays of deals that were deleted."""
        done.append(day)
        found = night(CONFIG, tmp_path, day, SPELLS)
        assert [stay for *stay, is_deleted in found if not is_deleted] == [list(stay) for stay in spells(server, done)]
        assert pl.read_parquet(tmp_path / "quarantine" / f"{day}.parquet").is_empty()
        return [tuple(stay) for *stay, is_deleted in found if is_deleted]

    def asked() -> list[str]:
        found, wire.asked[:] = list(wire.asked), []
        return found

    def moments_since(moment: datetime) -> set[str]:
        """Distinct moments of revision, less those of deletions: one request each is all that revisions may cost."""
        text = moment.isoformat(timespec="microseconds")
        return {one[0] for revised in revisions(server).values() for one in revised if one[0] >= text}

    # Monday: seven deals, one as it is created, the others on their ways.
    server.set_clock(at(days[0], 9))
    waiting, big, kept, lost, cancelled, bare, small = (company.lead(employee=company.ann) for _ in range(7))
    company.write(bare, party=None)  # in the second of its creation
    server.set_clock(at(days[0], 10))
    company.write(big, amount=Decimal("120000.50"))
    company.press("opportunity", big, kept, small)  # three deals in one transaction, one of them changed just before
    server.set_clock(at(days[0], 12))
    company.press("convert", kept)
    company.press("lost", lost)
    company.press("cancel", cancelled)
    assert night_is_right(days[0]) == []
    asked()

    # Tuesday: another owner, another amount, a deal won, one reopened and moved on at once, one deleted, two new ones.
    server.set_clock(at(days[1], 9))
    company.write(big, amount=Decimal("99999.99"), employee=company.bo)
    company.sell(kept, Decimal("450.75"))
    server.set_clock(at(days[1], 10))
    company.press("lead", lost)
    company.press("opportunity", lost)  # of the same moment: Tryton keeps one revision of it
    company.press("delete", cancelled)
    server.set_clock(at(days[1], 11))
    late = company.lead(employee=company.bo, amount=Decimal(10))
    gone = company.lead()
    company.press("cancel", gone)
    company.press("delete", gone)  # created and deleted between two nights: nobody ever saw it
    # Cancelled on Monday, deleted on Tuesday; what came and went between two nights never was a deal of ours.
    stays_of_cancelled = (str(cancelled), 1, "lead", days[0], days[0], "cancelled")
    assert night_is_right(days[1]) == [stays_of_cancelled]
    requests = asked()
    changed = {big, kept, lost, late}
    opportunities = landed(tmp_path, days[1], "opportunities")
    assert {row["id"] for row in opportunities if not row["deleted"]} == changed
    assert [row["id"] for row in opportunities if row["deleted"]] == [cancelled]
    assert {row["id"] for row in landed(tmp_path, days[1], "opportunity_revisions")} == changed
    # A request for each moment of revision, and for the last one of Monday, which is within the margin.
    assert len(requests) == REQUESTS_OF_A_QUIET_NIGHT + len(moments_since(at(days[0], 12))) == 15 + 4

    # Wednesday: nothing happened, and nothing but the newest change, which is within the margin, is read. (The night
    # ends there: it would say the same again, and Thursday's goes on from the last recorded one.)
    config = load(CONFIG, {**os.environ, **env})
    outside = Surroundings(env, sleep=time.sleep, now=time.time, monotonic=time.monotonic)
    pull_sources(config.sources.sources, Workspace(tmp_path), days[2], days[:2], outside)
    assert [row["id"] for row in landed(tmp_path, days[2], "opportunities")] == [late]
    assert len(asked()) == REQUESTS_OF_A_QUIET_NIGHT + len(moments_since(at(days[1], 11))) == 15 + 1

    # Thursday: the night is killed amid the revisions, somebody goes on working, the night is started again.
    server.set_clock(at(days[3], 9))
    company.press("opportunity", waiting)
    company.press("lost", big)
    company.press("cancel", bare)
    company.press("delete", bare)
    server.set_clock(at(days[3], 23, 30))
    company.press("convert", small)  # tomorrow in Berlin, and still before the night
    killed: list[subprocess.Popen[bytes]] = []

    def kill_amid_revisions(number: int) -> bool:
        if wire.asked[-1].endswith("history_revisions"):
            os.killpg(killed[0].pid, signal.SIGKILL)
            return False
        return True

    wire.before = kill_amid_revisions
    killed.append(start_night(tmp_path, days[3]))
    assert killed[0].wait(120) == -signal.SIGKILL
    wire.before = lambda number: True
    before_kill = asked()
    assert before_kill[-1].endswith("history_revisions")
    assert {row["id"] for row in landed(tmp_path, days[3], "opportunities") if not row["deleted"]} >= {waiting, big}
    server.set_clock(at(days[3], 23, 45))
    company.write(late, amount=None, employee=company.ann)
    # Cancelled and deleted on one day: no night has seen the former.
    assert night_is_right(days[3]) == [stays_of_cancelled, (str(bare), 1, "lead", days[0], days[3], None)]
    rows = landed(tmp_path, days[3], "opportunity_revisions")
    assert len(rows) == len({row["revision"] for row in rows})
    assert {row["id"] for row in rows} == {waiting, big, small, late}
    assert company.key not in "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for folder in ("landing", "history", "logs", "build")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    )


REQUESTS_OF_A_QUIET_NIGHT = 4 + 3 + 4 + 4
"""When the newest change was (two requests) and what changed, of each source; the fields of employees, which are read
whole; the ids of opportunities; when those that changed were revised."""


# -- pulls ------------------------------------------------------------------------------


def sources(url: str, *, key: bool = True, **options: Any) -> dict[str, Any]:
    """Opportunities and their revisions, with a user application or with a login."""
    way: dict[str, Any] = {"secrets": {"key": KEY}} if key else {"secrets": {"password": "TRYTON_PASSWORD"}}
    options = {"database": "crm", "sweep_days": 0, "page": 3} | ({} if key else {"user": READER}) | options
    connect = {"crm": "tryton", "url": url, "options": options, **way}
    values = {"stage": "state", "amount": "amount", "owner_id": "employee"}
    return Sources.model_validate(
        {
            "sources": {
                "deals": {
                    "entity": "opportunity",
                    "mode": "delta",
                    "deleted": "deleted",
                    "max_shrink": 1.0,
                    "connect": {**connect, "object": "sale.opportunity"},
                    "columns": {"opportunity_id": "id", **values},
                },
                "revisions": {
                    "entity": "opportunity_history",
                    "mode": "delta",
                    "connect": {**connect, "object": "sale.opportunity__history"},
                    "columns": {"opportunity_id": "id", "changed_at": "revised_at", **values},
                },
            }
        }
    ).sources


def pull(made: Mapping[str, Any], folder: Path, company: Company, *, password: str = READER_PASSWORD) -> list[Path]:
    """Pull for the first night of a workspace; waits take no time.

    Raises:
        PullRefused: a source was refused.
    """
    env = {KEY: company.key, "TRYTON_PASSWORD": password}
    outside = Surroundings(env, sleep=lambda _: None, now=time.time, monotonic=time.monotonic)
    files = pull_sources(made, Workspace(folder), FIRST, [], outside)
    for refusal in filter(None, (file.refusal for file in files)):
        raise PullRefused(refusal)
    return [file.path for file in files]


def equal_to(server: TrytonServer, paths: list[Path]) -> None:
    """Hold what was landed to what Tryton's tables hold."""
    deals, revised = (lines(path) for path in paths)
    last = {row["id"]: row for row in deals}
    assert {number for number, row in last.items() if not row["deleted"]} == living(server)
    truth = revisions(server)
    for number in living(server):
        _, state, amount, employee = truth[number][-1]
        assert (last[number]["state"], last[number]["amount"], last[number]["employee"]) == (state, amount, employee)
        mine = [row for row in revised if row["id"] == number]
        found = {row["revision"]: (row["revised_at"], row["state"], row["amount"], row["employee"]) for row in mine}
        assert sorted(found.values()) == truth[number]


def test_a_login_lands_the_same_as_a_user_application(
    server: TrytonServer, company: Company, wire: Wire, tmp_path: Path
) -> None:
    server.set_clock(at(FIRST + timedelta(days=10), 9))
    deal = company.lead(amount=Decimal("1.10"))
    company.press("cancel", deal)
    by_key = pull(sources(wire.url), tmp_path / "key", company)
    by_login = pull(sources(wire.url, key=False), tmp_path / "login", company)
    assert [path.read_bytes() for path in by_key] == [path.read_bytes() for path in by_login]
    equal_to(server, by_login)
    assert wire.asked.count("common.db.login") == 2  # one a source


def test_a_session_that_tryton_has_ended_is_opened_again(
    server: TrytonServer, company: Company, wire: Wire, tmp_path: Path
) -> None:
    def end_sessions(number: int) -> bool:
        if number == 4:
            company.user.call("res.user", "write", [company.reader], {"password": READER_PASSWORD})
        return True

    wire.before = end_sessions
    equal_to(server, pull(sources(wire.url, key=False), tmp_path, company))
    assert wire.asked.count("common.db.login") == 3


def test_a_pull_that_is_cut_at_any_request_goes_on_where_it_was(
    server: TrytonServer, company: Company, wire: Wire, tmp_path: Path
) -> None:
    server.set_clock(at(FIRST + timedelta(days=11), 9))
    for _ in range(5):
        company.press("cancel", company.lead())
    pull(sources(wire.url), tmp_path / "whole", company)
    whole = len(wire.asked)
    for cut in range(1, whole + 1, 4):
        wire.asked[:] = []
        wire.before = lambda number, cut=cut: number < cut
        with pytest.raises(PullFailed, match=r"could not be reached at 127\.0\.0\.1:\d+, or was cut off \(6 tries\)"):
            pull(sources(wire.url), tmp_path / str(cut), company)
        wire.before = lambda number: True
        failed = len(wire.asked) - (cut - 1)
        paths = pull(sources(wire.url), tmp_path / str(cut), company)
        equal_to(server, paths)
        for path, name in zip(paths, ("id", "revision"), strict=True):
            landed_ids = [row[name] for row in lines(path)]
            assert len(landed_ids) == len(set(landed_ids))
        # Asked for again: the page that was cut, and for a source that was done, what has changed meanwhile.
        assert len(wire.asked) - failed <= whole + REPEATED


def test_what_changes_between_two_pages_is_landed_by_the_next_pull(
    server: TrytonServer, company: Company, wire: Wire, tmp_path: Path
) -> None:
    day = FIRST + timedelta(days=12)
    server.set_clock(at(day, 9))
    deals = [company.lead() for _ in range(4)]

    def work_on(number: int) -> bool:
        if number == 4:  # deals are read by pages of two; in the same moment as before, and a little later
            company.write(deals[0], amount=Decimal(7))
            server.set_clock(at(day, 9, 1))
            company.press("cancel", deals[1])
            company.press("delete", deals[1])
        return True

    wire.before = work_on
    made = sources(wire.url, page=2)
    pull(made, tmp_path, company)
    equal_to(server, pull(made, tmp_path, company))


def test_a_refusal_names_what_to_do_and_shows_no_secret(
    server: TrytonServer, company: Company, wire: Wire, tmp_path: Path
) -> None:
    def refused(made: Mapping[str, Any], name: str, password: str = READER_PASSWORD) -> str:
        with pytest.raises(PullRefused) as error:
            pull(made, tmp_path / name, company, password=password)
        assert password not in str(error.value)
        assert company.key not in str(error.value)
        assert "Traceback" not in str(error.value)
        return str(error.value)

    wrong = refused(sources(wire.url, key=False), "password", "not-the-password")
    assert wrong.startswith("deals (tryton sale.opportunity): 401 ")
    assert "Check the credentials that `secrets` names" in wrong
    for key in (True, False):
        made = sources(wire.url, key=key)
        unknown = made["deals"].model_copy(update={"ignore": ("party.lang.no_such_field",)})
        assert "ir.lang has no field 'no_such_field', as 'party.lang.no_such_field' in" in refused(
            {"deals": unknown}, f"field-{key}"
        )


REPEATED = 13
"""A page of three records (which, when, and their states at three moments), and for a source that was done: the newest
change (two requests), what lies in the margin before it, and ids."""
