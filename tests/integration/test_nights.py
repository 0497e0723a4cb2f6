"""Successive nights of the demo company: time travel, refusals, alerts that open once and resolve once."""

import email
import email.policy
import json

from flows.demo import vanish
from tests.integration.conftest import Planloop


def _without_run_id(loop: Planloop, version: str | None) -> dict[str, list[tuple[object, ...]]]:
    tables = [
        name for (name,) in loop.query("select table_name from duckdb_tables() where schema_name = 'marts'", version)
    ]
    return {
        name: loop.query(f"select * exclude (run_id) from marts.{name} order by all", version)
        for name in sorted(tables)
    }


def test_a_past_night_rebuilt_gives_what_it_gave_then_and_leaves_the_newest_published(
    demo: Planloop, demo_nights: list[str]
) -> None:
    first = demo.json("refresh", "--as-of", demo_nights[0])["run_id"]
    then = _without_run_id(demo, first)
    for night in demo_nights[1:]:
        newest = demo.json("refresh", "--as-of", night)["run_id"]
    mails = demo.mails()
    rebuilt = demo.json("refresh", "--as-of", demo_nights[0])["run_id"]
    assert rebuilt != first
    assert _without_run_id(demo, rebuilt) == then
    assert json.loads((demo.workspace / "published" / "manifest.json").read_text())["run_id"] == newest
    assert demo.mails() == mails


def test_half_of_the_opportunities_vanish_and_nothing_is_published(demo: Planloop, demo_nights: list[str]) -> None:
    published = demo.json("refresh", "--as-of", demo_nights[0])["run_id"]
    before = demo.parquet()
    sent = set(demo.mails())
    vanish(demo.workspace / "inputs", demo_nights[1], 0.5)
    refused = demo.run("refresh", "--as-of", demo_nights[1], expect=4)
    said = refused.stdout + refused.stderr
    assert "opportunit" in said
    assert json.loads((demo.workspace / "published" / "manifest.json").read_text())["run_id"] == published
    assert demo.parquet() == before
    (mail,) = set(demo.mails()) - sent
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.SMTP)
    operator = demo.query("select 1") and "ops@example.com"
    assert operator in message["To"]
    # The refused night left nothing behind: the next good export is compared with the last good night.
    assert not list((demo.workspace / "history").rglob(f"{demo_nights[1]}.parquet"))
    demo.run("refresh", "--as-of", demo_nights[2])


def test_rows_in_are_accepted_or_quarantined_in_every_file_of_every_night(
    demo: Planloop, demo_nights: list[str]
) -> None:
    for night in demo_nights[:2]:
        demo.run("refresh", "--as-of", night)
    rows = demo.query(
        "select night, count(*), sum(rows_in - rows_accepted - rows_quarantined) from marts.mart_data_quality group by all"
    )
    assert len(rows) == 2
    assert all(count > 10 and difference == 0 for _, count, difference in rows)
    truths = json.loads((demo.workspace / "inputs" / "truths.json").read_text())
    assert truths["dirty_rows"], "the demo company plants dirty rows"


def test_a_second_run_of_the_same_night_sends_nothing_new(demo: Planloop, demo_nights: list[str]) -> None:
    demo.run("refresh", "--as-of", demo_nights[0])
    mails = demo.mails()
    assert mails, "the demo company has a node behind plan"
    demo.run("refresh", "--as-of", demo_nights[0])
    assert demo.mails() == mails
