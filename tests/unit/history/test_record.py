"""Recording a night: the hand-worked difference, what deletes and what does not, and the shrink guard."""

from datetime import date

import polars as pl
import pytest

from flows.errors import PermanentError
from flows.history.change_log import LOG_COLUMNS, EntityColumns
from flows.history.quarantine import read_quarantine
from schemas.registry import ENTITIES
from tests.unit.history.conftest import Source

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


def test_a_night_holds_only_what_is_new_changed_or_gone(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob", "c": "Cy"})
    [file] = nights.run_rows(TUESDAY, {"a": "Ann", "b": "Bobby", "d": "Di"})
    assert nights.change_rows(MONDAY) == [("a", "Ann", "new"), ("b", "Bob", "new"), ("c", "Cy", "new")]
    assert nights.change_rows(TUESDAY) == [("b", "Bobby", "changed"), ("c", "Cy", "deleted"), ("d", "Di", "new")]
    assert (file.rows_new, file.rows_changed, file.rows_deleted) == (1, 1, 1)
    assert nights.state(MONDAY) == {"a": "Ann", "b": "Bob", "c": "Cy"}
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bobby", "d": "Di"}


def test_change_rows_have_the_columns_types_and_provenance_of_the_log(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann"})
    nights.run_rows(TUESDAY, {"b": "Bob"})
    frame = pl.read_parquet(nights.workspace.history / "contact" / f"{TUESDAY}.parquet")
    assert dict(frame.schema) == ENTITIES["contact"].dtypes() | LOG_COLUMNS
    gone, new = frame.rows(named=True)
    assert (gone["_change"], gone["_valid_from"], gone["_row"]) == ("deleted", TUESDAY, 2)
    assert (new["_source"], new["_file"], new["_row"]) == ("crm", "contacts.csv", 2)


def test_a_changed_row_that_hashes_like_another_one_is_not_taken_for_it(nights_of, monkeypatch):
    nights = nights_of()
    monkeypatch.setattr(EntityColumns, "row_hash", property(lambda _: "hash(name)"))
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob"})
    nights.run_rows(TUESDAY, {"a": "Bob", "b": "Bob"})
    assert nights.change_rows(TUESDAY) == [("a", "Bob", "changed")]


def test_a_key_that_comes_back_after_it_was_deleted_is_new(nights_of):
    nights = nights_of()
    for night, rows in (
        (MONDAY, {"a": "Ann", "b": "Bob"}),
        (TUESDAY, {"b": "Bob"}),
        (WEDNESDAY, {"a": "Ann", "b": "Bob"}),
    ):
        nights.run_rows(night, rows)
    assert nights.change_rows(WEDNESDAY) == [("a", "Ann", "new")]


def test_a_night_without_changes_leaves_no_file(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann"})
    nights.run_rows(TUESDAY, {"a": "Ann"})
    assert nights.change_rows(TUESDAY) == []
    assert not (nights.workspace.history / "contact" / f"{TUESDAY}.parquet").exists()


def test_an_append_source_never_deletes(nights_of):
    nights = nights_of(Source(mode="append"))
    nights.run_rows(MONDAY, {"a": "Ann"})
    nights.run_rows(TUESDAY, {"b": "Bob"})
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bob"}


def test_a_quarantined_row_keeps_the_last_good_one(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob"})
    nights.run(TUESDAY, {"crm/contacts.csv": [("b", "Bob")]}, rejected={"crm/contacts.csv": ["a"]})
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bob"}
    nights.run_rows(WEDNESDAY, {"b": "Bob"})
    assert nights.state(WEDNESDAY) == {"b": "Bob"}


def test_an_export_whose_rows_are_all_quarantined_deletes_only_the_others(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob"})
    nights.run(TUESDAY, {"crm/contacts.csv": []}, rejected={"crm/contacts.csv": ["a"]})
    assert nights.state(TUESDAY) == {"a": "Ann"}


def test_a_source_with_a_refused_or_missing_file_deletes_nothing(nights_of):
    nights = nights_of()
    nights.run(MONDAY, {"crm/1.csv": [("a", "Ann")], "crm/2.csv": [("b", "Bob")]})
    nights.run(TUESDAY, {"crm/1.csv": [("c", "Cy")], "crm/2.csv": None})
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bob", "c": "Cy"}
    nights.run(WEDNESDAY, {})
    assert nights.state(WEDNESDAY) == {"a": "Ann", "b": "Bob", "c": "Cy"}


def test_a_source_deletes_only_what_came_from_it(nights_of):
    nights = nights_of(Source("crm"), Source("sheet"))
    nights.run(MONDAY, {"crm/1.csv": [("a", "Ann"), ("b", "Bob")], "sheet/1.csv": [("c", "Cy")]})
    files = nights.run(TUESDAY, {"crm/1.csv": [("a", "Ann")]})
    assert nights.state(TUESDAY) == {"a": "Ann", "c": "Cy"}
    assert [(file.source, file.rows_deleted) for file in files] == [("crm", 1)]


def test_a_row_that_moves_to_another_source_is_deleted_by_that_one(nights_of):
    nights = nights_of(Source("crm"), Source("sheet"))
    nights.run(MONDAY, {"crm/1.csv": [("a", "Ann"), ("b", "Bob")], "sheet/1.csv": [("c", "Cy")]})
    nights.run(TUESDAY, {"crm/1.csv": [("b", "Bob")], "sheet/1.csv": [("a", "Ann"), ("c", "Cy")]})
    nights.run(WEDNESDAY, {"sheet/1.csv": [("c", "Cy")]})
    assert nights.state(WEDNESDAY) == {"b": "Bob", "c": "Cy"}


def test_a_key_that_comes_twice_is_a_fault_of_validation(nights_of):
    nights = nights_of(Source("crm"), Source("sheet"))
    with pytest.raises(PermanentError, match=r"every key once, found \('a',\) 2 times"):
        nights.run(MONDAY, {"crm/1.csv": [("a", "Ann")], "sheet/1.csv": [("a", "Anna")]})
    assert not (nights.workspace.build / "night" / "contact.parquet").exists()


def test_two_files_of_a_source_with_one_name_are_refused(nights_of):
    from flows.history.record import stage_night

    nights = nights_of()
    files = nights.validate({"crm/1.csv": [("a", "Ann")]})
    with pytest.raises(PermanentError, match=r"found twice: 1\.csv in crm"):
        stage_night(nights.workspace, MONDAY, nights.sources, [*files, *files])


@pytest.mark.parametrize(("left", "refused"), [(70, False), (69, True), (0, True)])
def test_a_full_export_that_shrank_past_the_limit_is_refused_as_a_whole(nights_of, left, refused):
    nights = nights_of(Source(max_shrink=0.3))
    nights.run_rows(MONDAY, {f"{number:03d}": "x" for number in range(100)})
    [file] = nights.run_rows(TUESDAY, {f"{number:03d}": "y" for number in range(left)})
    assert (file.status == "refused") is refused
    assert file.rows_in == left == file.rows_accepted + file.rows_quarantined
    if refused:
        assert "at least 70% of the 100 rows" in file.message
        assert f"found {left}" in file.message
        assert nights.change_rows(TUESDAY) == []
        assert read_quarantine(nights.workspace, TUESDAY)["reason_code"].to_list() == ["file_refused"]
    else:
        assert len(nights.state(TUESDAY)) == left


def test_quarantined_rows_do_not_count_as_shrunk(nights_of):
    nights = nights_of(Source(max_shrink=0.3))
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob", "c": "Cy"})
    [file] = nights.run(TUESDAY, {"crm/1.csv": [("a", "Ann")]}, rejected={"crm/1.csv": ["b", "c"]})
    assert file.status == "accepted"
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bob", "c": "Cy"}


def test_an_export_that_lost_its_ids_has_shrunk_however_many_rows_it_has(nights_of):
    nights = nights_of(Source(max_shrink=0.3))
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob", "c": "Cy"})
    [file] = nights.run(TUESDAY, {"crm/1.csv": [("a", "Ann")]}, rejected={"crm/1.csv": [None, None]})
    assert file.status == "refused"
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bob", "c": "Cy"}


def test_a_shrink_that_was_accepted_deletes(nights_of):
    nights = nights_of(Source(max_shrink=0.3))
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob"})
    nights.run(TUESDAY, {"crm/1.csv": []}, accept_shrink={"crm"})
    assert nights.state(TUESDAY) == {}


def test_a_refused_source_does_not_hold_up_the_others(nights_of):
    nights = nights_of(Source("crm", max_shrink=0.3), Source("sheet"))
    nights.run(MONDAY, {"crm/1.csv": [("a", "Ann"), ("b", "Bob")], "sheet/1.csv": [("c", "Cy")]})
    nights.run(TUESDAY, {"crm/1.csv": [("x", "X")], "sheet/1.csv": [("d", "Di")]})
    assert nights.state(TUESDAY) == {"a": "Ann", "b": "Bob", "d": "Di"}


def test_an_older_night_is_refused(nights_of):
    nights = nights_of()
    nights.run_rows(TUESDAY, {"a": "Ann"})
    with pytest.raises(PermanentError, match="2026-03-03 or later, found 2026-03-02"):
        nights.run_rows(MONDAY, {"a": "Ann"})


def test_a_file_that_does_not_balance_stops_the_night(nights_of):
    from dataclasses import replace

    from flows.history.record import stage_night

    nights = nights_of()
    files = nights.validate({"crm/1.csv": [("a", "Ann"), ("b", "Bob")]})
    lost_one = [replace(file, rows_in=3) for file in files]
    with pytest.raises(PermanentError, match=r"1\.csv: expected 3 records .*, found 2 accepted and 0"):
        stage_night(nights.workspace, MONDAY, nights.sources, lost_one)
    lost_on_disk = [replace(file, rows_in=3, rows_accepted=3) for file in files]
    with pytest.raises(PermanentError, match=r"1\.csv: 3 rows accepted, 0 of them merged, 2 found"):
        stage_night(nights.workspace, MONDAY, nights.sources, lost_on_disk)


def test_hashes_of_another_engine_or_schema_do_not_flood_the_log(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob"})
    path = nights.workspace.history / "contact" / f"{MONDAY}.parquet"
    older = pl.read_parquet(path).drop("title").with_columns(_row_hash=pl.lit(7, dtype=pl.UInt64))
    older.write_parquet(path)
    nights.run_rows(TUESDAY, {"a": "Ann", "b": "Bobby"})
    assert nights.change_rows(TUESDAY) == [("b", "Bobby", "changed")]


def test_a_key_of_several_columns_is_read_back_from_the_quarantine(workspace):
    """An opportunity history has a text, a moment and an empty text in its key."""
    from datetime import datetime

    from flows.history.commit import commit_night
    from flows.history.quarantine import QUARANTINE
    from flows.history.record import stage_night
    from flows.ingest.accounting import FileAccount

    source = Source("crm", entity="opportunity_history")
    entity = ENTITIES["opportunity_history"]

    def night(as_of, moments, cells):
        accepted = workspace.build / "accepted" / "opportunity_history"
        accepted.mkdir(parents=True, exist_ok=True)
        rows = [
            {
                "opportunity_id": "o1",
                "changed_at": moment,
                "history_id": "",
                "_source": "crm",
                "_file": "h.csv",
                "_row": 2,
            }
            for moment in moments
        ]
        schema = entity.dtypes() | {"_source": pl.String(), "_file": pl.String(), "_row": pl.Int64()}
        pl.DataFrame(rows, schema=schema).write_parquet(accepted / "h.parquet")
        rejected = workspace.build / "rejected"
        rejected.mkdir(exist_ok=True)
        pl.DataFrame(cells, schema=QUARANTINE).write_parquet(rejected / "h.parquet")
        counts = (len(rows) + len(cells), len(rows), len(cells))
        file = FileAccount("crm", "h.csv", "opportunity_history", "csv", "0", "accepted", None, *counts)
        [file] = stage_night(workspace, as_of, [source], [file])
        commit_night(workspace, as_of)
        return file

    moments = [datetime(2026, 1, day, 9, 30) for day in (1, 2, 3)]
    key = '{"opportunity_id": "o1", "changed_at": "2026-01-02T09:30:00", "history_id": ""}'
    cell = {"source": "crm", "entity": "opportunity_history", "file": "h.csv", "row": 3, "key": key}
    assert night(MONDAY, moments, []).rows_new == 3
    assert night(TUESDAY, moments[:1], [cell]).rows_deleted == 1
