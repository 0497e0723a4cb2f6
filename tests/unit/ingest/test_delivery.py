"""A source that delivered nothing usable: what stops the night, what it goes on without, and how it is told."""

from datetime import date

import pytest

from flows.config.settings import Settings
from flows.config.sources import Sources
from flows.ingest.accounting import FileAccount
from flows.ingest.delivery import explain, undelivered
from flows.ingest.freshness import with_limits
from tests.unit.ingest.conftest import SETTINGS

NIGHT = date(2026, 3, 3)
COLUMNS = {"opportunity_id": "id", "stage": "s", "amount": "a", "created_at": "c"}


def sources(**options):
    made = {
        name: {"entity": "opportunity", "path": f"{name}.csv", "columns": COLUMNS, **chosen}
        for name, chosen in options.items()
    }
    return Sources.model_validate({"sources": made}).sources


def file(source: str, status: str, **facts) -> FileAccount:
    name = "" if status == "missing" else f"{source}.csv"
    return FileAccount(source, name, "opportunity", "csv", None, status, f"{source} is {status}", **facts)


FILES = [file("a", "refused"), file("b", "missing"), file("c", "accepted"), file("d", "refused"), file("e", "missing")]


@pytest.mark.parametrize(
    ("options", "stops"),
    [
        ({}, ["a", "b", "d", "e"]),
        ({"refused": "ignore"}, ["b", "e"]),
        ({"missing": "ignore"}, ["a", "d"]),
        ({"refused": "ignore", "missing": "ignore"}, []),
    ],
)
def test_what_stops_the_night_is_what_the_source_says(options, stops):
    assert [found.source for found in undelivered(FILES, sources(**dict.fromkeys("abcde", options)))] == stops


def test_a_live_crm_without_a_file_was_refused_and_not_forgotten():
    live = {"connect": {"crm": "hubspot", "object": "deals"}, "path": ()}
    configured = sources(a={**live, "missing": "ignore"}, b={**live, "refused": "ignore"})
    assert [found.source for found in undelivered([file("a", "missing"), file("b", "missing")], configured)] == ["a"]


def test_all_sources_are_told_in_one_message_with_what_to_do():
    told = explain(FILES[:2], NIGHT, "20260303-01", kept="20260302-01")
    assert told.splitlines() == [
        "planloop refused to publish the night of 2026-03-03 (run 20260303-01), before anything was built from it: "
        "a, b did not deliver. Readers keep 20260302-01.",
        "- a: a.csv: refused: a is refused",
        "- b: missing: b is missing",
        "",
        "Mend the export and run the night again. A night that may go on without a source: `refused: ignore` or "
        "`missing: ignore` for it in sources.yaml.",
    ]


def test_the_message_says_what_changed_about_the_file_and_speaks_the_operators_language():
    changed = file("a", "refused", drift_en="column gone: '金额'", drift_zh="缺少的列：“金额”")
    assert "- a: a.csv: refused: a is refused [column gone: '金额']" in explain([changed], NIGHT, "r", kept=None)
    chinese = explain([changed], NIGHT, "r", kept=None, language="zh")
    assert "- a: a.csv: 被拒绝: a is refused [缺少的列：“金额”]" in chinese
    assert "目前尚无已发布的版本" in chinese


def test_a_file_is_named_once():
    unread = FileAccount("a", "a.csv", "opportunity", "csv", None, "refused", "a.csv: expected text, found a picture")
    assert "\n- a: refused: a.csv: expected text, found a picture\n" in explain([unread], NIGHT, "r", kept=None)


def test_the_message_fits_a_screen_however_many_files_there_are():
    many = [file(f"s{number}", "refused") for number in range(40)]
    for language in ("en", "zh"):
        assert len(explain(many, NIGHT, "r", kept=None, language=language).splitlines()) <= 24
    assert "… and 28 more files" in explain(many, NIGHT, "r", kept=None)


def test_a_source_is_held_to_its_own_hours_and_else_to_those_of_the_company():
    settings = Settings.model_validate({**SETTINGS.model_dump(), "fresh_within_hours": 36})
    configured = sources(a={}, b={"fresh_within_hours": 4})
    limited = with_limits([file("a", "accepted"), file("b", "accepted")], configured, settings)
    assert [found.fresh_within_hours for found in limited] == [36, 4]


def test_only_what_a_kept_crm_changes_every_day_is_held_to_hours_unasked():
    held = {}
    for entity, own in (("contract", None), ("contract", 72), ("user", 72), ("activity", None)):
        source = sources(a={"fresh_within_hours": own})["a"].model_copy(update={"entity": entity})
        (limited,) = with_limits([FileAccount("a", "a.csv", entity, "csv", None, "accepted")], {"a": source}, SETTINGS)
        held[entity, own] = limited.fresh_within_hours
    assert held == {("contract", None): None, ("contract", 72): 72, ("user", 72): None, ("activity", None): 24}
