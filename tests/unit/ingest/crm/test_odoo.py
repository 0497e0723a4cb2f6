"""Odoo against a strict server, over both of its APIs: what it has is what is landed, whatever happens on the way."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config import load
from flows.errors import ConfigError
from flows.ingest.crm.http import PullFailed, PullRefused
from flows.ingest.crm.odoo.records import stage_of
from flows.ingest.crm.registry import connector
from tests.crm_servers.odoo import DATABASE, KEY, LOGIN, OdooServer, shown
from tests.crm_servers.pulls import Pulls, lines

PROJECT = Path(__file__).parents[4]
ENV = {"ODOO_KEY": KEY}
FAULTS = ("rolled_back", "gateway", "busy_seconds", "busy_date", "error_500", "error_503", "cut")
APIS = ("json-rpc", "json-2")
OPPORTUNITIES = [["type", "=", "opportunity"]]
COLUMNS = {
    "opportunity_id": "id",
    "stage": {"from": "stage", "map": "stages"},
    "amount": "expected_revenue",
    "owner_id": "user_id",
    "modified_at": "write_date",
}


@pytest.fixture()
def server() -> Iterator[OdooServer]:
    with OdooServer() as running:
        yield running


def source(server: OdooServer, api: str = "json-rpc", **changes: Any) -> dict[str, Any]:
    options = {"api": api, "database": DATABASE, "sweep_days": 0, "page": 2} | changes.pop("options", {})
    if api == "json-rpc":
        options = {"user": LOGIN} | options
    return {
        "entity": "opportunity",
        "mode": "delta",
        "deleted": "deleted",
        "max_shrink": 1.0,
        "connect": {
            "crm": "odoo",
            "object": changes.pop("object", "crm.lead"),
            "url": server.url,
            "secrets": {"key": "ODOO_KEY"},
            "options": options,
        },
        "columns": COLUMNS,
    } | changes


def history(server: OdooServer, api: str = "json-rpc", **changes: Any) -> dict[str, Any]:
    columns = {"opportunity_id": "id", "changed_at": "revised_at", "history_id": "revision", "stage": "stage"}
    changes["options"] = {"domain": OPPORTUNITIES} | changes.get("options", {})
    settings = {"entity": "opportunity_history", "deleted": None, "columns": columns, "object": "crm.lead__history"}
    return source(server, api, **settings, **changes)


def equal_to(server: OdooServer, pulls: Pulls) -> None:
    """Hold what is landed to what the server has: which leads live, and their values."""
    assert {
        identifier: (record["stage"], record["expected_revenue"], record["user_id"], record["write_date"])
        for identifier, record in pulls.living("id", "deleted").items()
    } == {
        str(lead): (
            "lost" if not row["active"] else server.rows["crm.stage"][row["stage_id"]]["name"],
            row["expected_revenue"],
            row["user_id"] or None,
            shown(row["write_date"]),
        )
        for lead, row in server.rows["crm.lead"].items()
    }


def states(pulls: Pulls) -> dict[int, list[tuple[Any, ...]]]:
    """The landed history of each lead in order, without states equal to the one before."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for _, record in sorted(pulls.landed("revision").items()):
        state = (record["stage"], record["user_id"], record["expected_revenue"])
        of_lead = found.setdefault(record["id"], [])
        if not of_lead or of_lead[-1][1:] != state:
            of_lead.append((record["revised_at"], *state))
    return found


def remembered(server: OdooServer) -> dict[int, list[tuple[Any, ...]]]:
    """The same by what was done; of several states in the second of its beginning a lead begins with the last."""
    found = {}
    for lead, past in server.past.items():
        if past:
            begin = [state for state in past if state[0] == past[0][0]][-1:]
            whole = begin + [state for state in past if state[0] != past[0][0]]
            found[lead] = [next(same) for _, same in groupby(whole, key=lambda state: state[1:])]
    return found


@pytest.mark.parametrize("api", APIS)
def test_the_first_pull_lands_every_lead_also_lost_ones_and_the_next_only_what_changed(
    server: OdooServer, tmp_path: Path, api: str
) -> None:
    leads = [server.create(expected_revenue=100 * at, priority=str(at % 3)) for at in range(7)]
    server.clock += timedelta(hours=1)
    server.lose(leads[6])
    pulls = Pulls(server, tmp_path, ENV, **source(server, api, options={"page": 50}))
    assert [record["id"] for record in lines(pulls.night().path)] == leads
    equal_to(server, pulls)
    server.clock += timedelta(days=1)
    server.write(leads[3], stage_id=server.stages[1], user_id=server.users[1])
    server.unlink("crm.lead", leads[4])
    before = len(server.calls)
    assert [(record["id"], record["deleted"]) for record in lines(pulls.night().path)] == [
        (leads[3], False),
        (leads[6], False),  # the newest change of the last pull: within the margin
        (leads[4], True),
    ]
    # the fields, the newest change, what changed, all ids; and a login each for the pull and the sweep
    assert len(server.calls) - before == (6 if api == "json-rpc" else 4)
    equal_to(server, pulls)


def test_related_records_are_landed_as_id_and_name_and_nothing_as_null(server: OdooServer, tmp_path: Path) -> None:
    partner = server.insert("res.partner", name="某某集团", active=True)
    server.create(partner_id=partner, date_deadline="2026-12-31")
    server.create()
    columns = {
        "opportunity_id": "id",
        "account_id": "partner_id",
        "name": "partner_id.display_name",
        "stage": "stage_id.display_name",
        "expected_close_on": "date_deadline",
    }
    pulls = Pulls(server, tmp_path, ENV, **source(server, columns=columns, ignore=["active"]))
    first, second = lines(pulls.night().path)
    assert first == {
        "id": 1,
        "active": True,
        "date_deadline": "2026-12-31",
        "partner_id": partner,
        "partner_id.display_name": "某某集团",
        "stage_id.display_name": "New",
        "deleted": False,
    }
    assert (second["partner_id"], second["partner_id.display_name"], second["date_deadline"]) == (None, None, None)


def test_changes_of_the_same_second_between_two_pages_are_not_lost(server: OdooServer, tmp_path: Path) -> None:
    leads = [server.create() for _ in range(6)]
    for lead in leads:  # all in one second, as after an import
        server.rows["crm.lead"][lead]["write_date"] = server.clock
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    # login, fields, newest, first page; then leads that were read already and one that was not change
    server.plan.extend([None] * 4)
    server.plan.append(lambda: server.write(leads[0], stage_id=server.stages[2]))
    server.plan.append(lambda: [server.write(lead, expected_revenue=5) for lead in (leads[1], leads[5])])
    pulls.night()
    pulls.night()
    equal_to(server, pulls)


def test_a_transaction_that_began_before_the_last_pull_and_ended_after_it_is_not_lost(
    server: OdooServer, tmp_path: Path
) -> None:
    slow, quick = server.create(), server.create()
    server.clock += timedelta(hours=1)
    began = server.clock
    server.clock += timedelta(seconds=60)
    server.write(quick, expected_revenue=1)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.write(slow, stage_id=server.stages[2])
    server.rows["crm.lead"][slow]["write_date"] = began
    pulls.night()
    equal_to(server, pulls)


def test_a_newly_mapped_field_is_read_for_every_record(server: OdooServer, tmp_path: Path) -> None:
    for _ in range(3):
        server.create(probability=30)
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    pulls.night()
    server.clock += timedelta(days=1)
    pulls.set(**source(server, ignore=["probability"]))
    assert [record["probability"] for record in lines(pulls.night().path)] == [30, 30, 30]


def test_activities_that_are_done_disappear_and_are_landed_as_deleted(server: OdooServer, tmp_path: Path) -> None:
    done, open_ = (server.insert("mail.activity", summary=text, res_model="crm.lead", res_id=1) for text in "ab")
    columns = {"activity_id": "id", "opportunity_id": "res_id", "subject": "summary"}
    domain = [["res_model", "=", "crm.lead"]]
    activities = source(server, object="mail.activity", entity="activity", columns=columns, options={"domain": domain})
    pulls = Pulls(server, tmp_path, ENV, **activities)
    pulls.night()
    server.unlink("mail.activity", done)
    pulls.night()
    assert pulls.living("id", "deleted").keys() == {str(open_)}
    assert pulls.landed("id")[str(done)]["summary"] == "a"


def test_an_archived_lead_is_lost_only_at_a_probability_of_zero() -> None:
    lead = {"active": False, "probability": 0.0, "stage_id.display_name": "New"}
    assert stage_of(lead) == "lost"
    assert stage_of(lead | {"probability": 20.0}) == "archived"
    assert stage_of(lead | {"active": True}) == "New"


# -- history ------------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_the_history_of_a_lead_is_what_was_done_with_it(server: OdooServer, tmp_path: Path, api: str) -> None:
    ann, bo = server.users
    new, proposed, won = server.stages
    lead = server.create(user_id=ann, expected_revenue=100.0)
    begin = shown(server.clock)
    pulls = Pulls(server, tmp_path, ENV, **history(server, api))
    pulls.night()
    assert states(pulls) == {lead: [(begin, "New", ann, 100.0)]}
    moments = []
    for values in ({"stage_id": proposed}, {"user_id": bo, "expected_revenue": 250.5}, {"stage_id": won}):
        server.clock += timedelta(days=1)
        server.write(lead, **values)
        moments.append(shown(server.clock))
    pulls.night()
    expected = [
        (begin, "New", ann, 100.0),
        (moments[0], "Proposition", ann, 100.0),
        (moments[1], "Proposition", bo, 250.5),
        (moments[2], "Won", bo, 250.5),
    ]
    assert states(pulls) == {lead: expected} == remembered(server)


def test_losses_that_were_undone_and_changes_of_one_second_keep_their_order(server: OdooServer, tmp_path: Path) -> None:
    lead = server.create()
    server.clock += timedelta(days=1)
    server.lose(lead)
    server.clock += timedelta(days=1)
    server.restore(lead)
    for stage in (1, 0, 2, 1):  # all in one second
        server.write(lead, stage_id=server.stages[stage])
    server.clock += timedelta(days=1)
    server.lose(lead)
    pulls = Pulls(server, tmp_path, ENV, **history(server))
    pulls.night()
    found = [state[1] for state in states(pulls)[lead]]
    assert found == ["New", "lost", "New", "Proposition", "New", "Won", "Proposition", "lost"]
    assert states(pulls) == remembered(server)


def test_a_lead_begins_as_an_opportunity_when_it_is_converted(server: OdooServer, tmp_path: Path) -> None:
    lead = server.create(type="lead")
    server.clock += timedelta(days=1)
    server.write(lead, stage_id=server.stages[1])
    pulls = Pulls(server, tmp_path, ENV, **history(server))
    pulls.night()
    assert states(pulls) == {}
    server.clock += timedelta(days=1)
    server.convert(lead)
    converted = shown(server.clock)
    server.clock += timedelta(days=1)
    server.write(lead, stage_id=server.stages[2])
    won = shown(server.clock)
    pulls.night()
    assert [state[:2] for state in states(pulls)[lead]] == [(converted, "Proposition"), (won, "Won")]


def test_a_stage_is_named_as_it_is_called_now_or_as_it_was_if_it_is_no_more(server: OdooServer, tmp_path: Path) -> None:
    old = server.insert("crm.stage", name="Demo", sequence=9)
    lead = server.create()
    for stage in (old, server.stages[1]):
        server.clock += timedelta(days=1)
        server.write(lead, stage_id=stage)
    server.unlink("crm.stage", old)
    server.rows["crm.stage"][server.stages[1]]["name"] = "方案"
    pulls = Pulls(server, tmp_path, ENV, **history(server))
    pulls.night()
    assert [state[1] for state in states(pulls)[lead]] == ["New", "Demo", "方案"]


def test_the_messages_of_a_merged_lead_are_not_the_history_of_the_other(server: OdooServer, tmp_path: Path) -> None:
    survivor, other = server.create(), server.create()
    server.clock += timedelta(days=1)
    server.write(other, stage_id=server.stages[2])
    server.clock += timedelta(days=1)
    server.merge(survivor, other)
    pulls = Pulls(server, tmp_path, ENV, **history(server))
    pulls.night()
    assert states(pulls) == remembered(server)


def test_a_user_who_may_not_read_what_odoo_tracks_is_told_so(server: OdooServer, tmp_path: Path) -> None:
    server.write(server.create(), user_id=1)
    server.is_admin = False
    pulls = Pulls(server, tmp_path, ENV, **history(server))
    with pytest.raises(PullRefused, match=r"AccessError: You are not allowed to access 'mail.tracking.value'"):
        pulls.night()


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_a_refused_key_is_named_without_being_shown(server: OdooServer, tmp_path: Path, api: str) -> None:
    pulls = Pulls(server, tmp_path, {"ODOO_KEY": "quite-a-wrong-key"}, **source(server, api))
    with pytest.raises(PullRefused) as refused:
        pulls.night()
    expected = "Odoo refuses user 'planloop@example.com'" if api == "json-rpc" else "401 "
    assert str(refused.value).startswith(f"live (odoo crm.lead): {expected}")
    assert "wrong-key" not in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert pulls.waits == []


def test_no_secret_is_landed_or_shown(server: OdooServer, tmp_path: Path) -> None:
    server.create()
    pulls = Pulls(server, tmp_path, ENV, **source(server))
    server.plan.extend([None, "rolled_back"])
    pulls.night()
    pulls.set(**source(server, columns={"opportunity_id": "id", "stage": "no_such_field"}))
    with pytest.raises(PullRefused, match="crm.lead has no field no_such_field") as refused:
        pulls.night()
    assert KEY not in str(refused.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY in path.read_text(encoding="utf-8")]


def test_an_error_in_the_body_is_one_that_helps_or_one_that_passes(server: OdooServer, tmp_path: Path) -> None:
    server.create()
    pulls = Pulls(server, tmp_path, ENV, **source(server, options={"domain": [["stage", "=", 1]]}))
    with pytest.raises(PullRefused, match=r"builtins.ValueError: Invalid field crm.lead.stage in leaf") as refused:
        pulls.night()
    assert "Traceback" not in str(refused.value)
    pulls.set(**source(server, options={"database": "other"}))
    with pytest.raises(PullRefused, match='database "other" does not exist'):
        pulls.night()
    pulls.set(**source(server))
    server.plan.extend(["rolled_back"] * 6)
    with pytest.raises(PullFailed, match="could not serialize access"):
        pulls.night()
    pulls.night()
    equal_to(server, pulls)


def test_a_configuration_that_cannot_work_is_told_before_anything_is_asked(server: OdooServer, tmp_path: Path) -> None:
    for changes, words in (
        ({"options": {"api": "xml-rpc"}}, "expected options.api: json-rpc or json-2, found 'xml-rpc'"),
        ({"options": {"user": None}}, "expected options.user for api: json-rpc"),
        ({"options": {"pages": 3}}, "'pages' is no option of odoo"),
        ({"object": "crm.lead__history", "deleted": None}, "expected fields of crm.lead__history"),
    ):
        with pytest.raises(ConfigError, match=words):
            Pulls(server, tmp_path, ENV, **source(server, **changes)).night()
    assert server.calls == []


def test_the_example_is_a_configuration_that_can_work(server: OdooServer) -> None:
    env = {"ODOO_URL": server.url, **ENV}
    sources = load(PROJECT / "config" / "examples" / "odoo", env).sources.sources
    assert {source.connect.object for source in sources.values() if source.connect} == {
        "res.users",
        "res.partner",
        "crm.lead",
        "crm.lead__history",
        "mail.message",
    }
    for source in sources.values():
        assert connector(source, env).base_url == server.url


# -- any sequence of faults and changes ------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(FAULTS),
        st.tuples(
            st.sampled_from(["create", "move", "own", "price", "lose", "restore", "unlink", "merge", "wait"]),
            st.integers(0, 50),
        ),
    ),
    max_size=25,
)


def change(server: OdooServer, kind: str, at: int) -> Callable[[], None]:
    def happen() -> None:
        leads = sorted(server.rows["crm.lead"])
        if kind == "wait":
            server.clock += timedelta(hours=at)
        elif kind == "create" or not leads:
            server.create(expected_revenue=float(at))
        elif kind == "merge" and len(leads) > 1:
            server.merge(leads[at % len(leads)], leads[(at + 1) % len(leads)])
        elif kind == "unlink":
            server.unlink("crm.lead", leads[at % len(leads)])
        else:
            lead = leads[at % len(leads)]
            {
                "move": lambda: server.write(lead, stage_id=server.stages[at % 3]),
                "own": lambda: server.write(lead, user_id=server.users[at % 2]),
                "price": lambda: server.write(lead, expected_revenue=float(at)),
                "lose": lambda: server.lose(lead),
                "restore": lambda: server.restore(lead),
                "merge": lambda: None,
            }[kind]()

    return happen


@settings(max_examples=60)
@given(
    nights=st.lists(STEPS, min_size=1, max_size=3),
    what=st.sampled_from(["records", "history"]),
    api=st.sampled_from(APIS),
)
def test_after_any_faults_and_changes_a_healthy_night_leaves_what_the_server_has(
    nights: list[list[Any]], what: str, api: str
) -> None:
    with OdooServer() as server, tempfile.TemporaryDirectory() as folder:
        for at in range(5):
            server.create(expected_revenue=float(at))
        make = source if what == "records" else history
        pulls = Pulls(server, Path(folder), ENV, **make(server, api))
        for steps in nights:
            server.plan.extend(change(server, *step) if isinstance(step, tuple) else step for step in steps)
            pulls.night(tries=30)
        server.plan.clear()
        pulls.night()
        if what == "records":
            equal_to(server, pulls)
        else:
            landed = states(pulls)
            assert {lead: landed[lead] for lead in server.past} == remembered(server)
