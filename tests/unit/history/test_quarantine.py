"""Gathering and listing quarantined cells: ordered, filtered, complete."""

from datetime import date

import polars as pl
import pytest

from flows.errors import PermanentError
from flows.history.quarantine import QUARANTINE, gather, read_quarantine

AS_OF = date(2026, 3, 2)


def cells(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame([{"as_of_date": AS_OF, "source": "crm", **row} for row in rows], schema=QUARANTINE)


SAMPLE = cells(
    {"entity": "contact", "file": "a.csv", "row": 7, "reason_code": "required", "value": '=HYPERLINK("http://x")'},
    {"entity": "contact", "file": "a.csv", "row": 9, "reason_code": "not_a_date", "value": "待签订"},
    {"entity": "lead", "file": "b.csv", "row": 2, "reason_code": "required", "value": "@SUM(A1)"},
)


@pytest.fixture
def night(workspace):
    SAMPLE.write_parquet(workspace.quarantine_file(AS_OF))
    return workspace


def test_a_night_is_listed_by_entity_and_reason(night):
    assert read_quarantine(night, AS_OF).equals(SAMPLE)
    assert read_quarantine(night, AS_OF, entity="contact")["row"].to_list() == [7, 9]
    assert read_quarantine(night, AS_OF, reason="required")["row"].to_list() == [7, 2]
    assert read_quarantine(night, AS_OF, entity="lead", reason="not_a_date").is_empty()


def test_a_night_without_quarantine_file_names_the_newest(night):
    with pytest.raises(PermanentError, match="2026-03-03 at .*the newest is 2026-03-02"):
        read_quarantine(night, date(2026, 3, 3))


def test_a_night_of_an_older_version_has_the_columns_of_today(workspace):
    SAMPLE.drop("candidates").write_parquet(workspace.quarantine_file(AS_OF))
    assert read_quarantine(workspace, AS_OF).equals(SAMPLE)


def test_quarantined_cells_are_gathered_in_the_order_of_their_place(tmp_path):
    for number in range(2):
        SAMPLE[[2 - number, 0]].write_parquet(tmp_path / f"{number}.parquet")
    gathered = gather(sorted(tmp_path.glob("*.parquet")), [{"source": "crm", "file": "a.csv", "row": None}])
    assert gathered.select("file", "row").rows() == [
        ("a.csv", None), ("a.csv", 7), ("a.csv", 7), ("a.csv", 9), ("b.csv", 2)
    ]  # fmt: skip
