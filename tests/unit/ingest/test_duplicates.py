"""Keys that occur more than once: what is certain stays, the rest is quarantined, and no row is lost."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ingest.conftest import run_night

COLUMNS = {
    "opportunity_id": "id",
    "stage": {"from": "stage", "map": "stages"},
    "amount": "amount",
    "modified_at": "modified",
}
HEADER = ["id", "stage", "amount", "modified"]
OLD, NEW = "2024-03-01 09:00:00", "2024-03-02 09:00:00"


@pytest.fixture
def deals(tmp_path: Path, night):
    """Run a night over files of deals, by file name."""

    def run(files: dict[str, list[list[str]]], **options: object):
        (tmp_path / "in").mkdir()
        for name, records in files.items():
            with (tmp_path / "in" / name).open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows([HEADER, *records])
        source = {"entity": "opportunity", "path": f"{tmp_path}/in/*.csv", "columns": COLUMNS, **options}
        result = night({"crm": source})
        for account in result.accounts:
            assert account.rows_in == account.rows_accepted + account.rows_quarantined == len(files[account.file])
        return result

    return run


def kept(result) -> list[tuple]:
    return result.accepted.select("_file", "_row").rows()


def refused(result) -> list[tuple]:
    return result.rejected.select("file", "row", "reason_code").rows()


def test_of_equal_rows_the_first_in_file_order_stays(deals):
    row = ["O1", "Won", "1", OLD]
    result = deals({"a.csv": [["O0", "Won", "1", OLD], row, row], "b.csv": [row, ["O2", "Won", "1", OLD]]})
    assert kept(result) == [("a.csv", 2), ("a.csv", 3), ("b.csv", 3)]
    assert refused(result) == [("a.csv", 4, "duplicate_key"), ("b.csv", 2, "duplicate_key")]
    first = result.rejected.row(0, named=True)
    assert (first["column"], first["value"]) == ("id", "O1")
    assert json.loads(first["key"]) == {"opportunity_id": "O1"}
    assert json.loads(first["raw"]) == dict(zip(HEADER, row, strict=True))


def test_rows_that_repeat_by_design_are_merged_and_count_as_accepted(deals):
    row = ["O1", "Won", "1", OLD]
    result = deals({"a.csv": [row, row], "b.csv": [row]}, repeats=True)
    assert kept(result) == [("a.csv", 2)]
    assert refused(result) == []
    assert [(account.rows_accepted, account.rows_merged) for account in result.accounts] == [(2, 1), (1, 1)]


def test_of_different_rows_the_one_changed_last_stays(deals):
    result = deals({"a.csv": [["O1", "Won", "1", OLD]], "b.csv": [["O1", "Won", "2", NEW], ["O1", "Won", "2", NEW]]})
    assert kept(result) == [("b.csv", 2)]
    assert refused(result) == [("a.csv", 2, "duplicate_key"), ("b.csv", 3, "duplicate_key")]


@pytest.mark.parametrize("moments", [(OLD, OLD), ("", "")])
@pytest.mark.parametrize("repeats", [False, True])
def test_of_different_rows_without_a_newest_none_stays(deals, moments, repeats):
    records = [["O1", "Won", "1", moments[0]], ["O1", "Won", "2", moments[1]], ["O2", "Won", "1", OLD]]
    result = deals({"a.csv": records}, repeats=repeats)
    assert kept(result) == [("a.csv", 4)]
    assert refused(result) == [("a.csv", 2, "ambiguous_duplicate"), ("a.csv", 3, "ambiguous_duplicate")]


def test_a_row_with_a_moment_is_newer_than_one_without(deals):
    result = deals({"a.csv": [["O1", "Won", "1", ""], ["O1", "Won", "2", OLD]]})
    assert kept(result) == [("a.csv", 3)]


def test_a_quarantined_row_is_no_duplicate_of_an_accepted_one(deals):
    result = deals({"a.csv": [["O1", "Won", "much", OLD], ["O1", "Won", "1", OLD]]})
    assert kept(result) == [("a.csv", 3)]
    assert refused(result) == [("a.csv", 2, "not_a_number")]


def test_open_parts_of_a_key_are_empty_text_and_compare_equal(tmp_path, night):
    (tmp_path / "in.csv").write_text("客户名称,联系人\n腾飞,\n腾飞,\n腾飞,张\n", encoding="utf-8")
    columns = {"account_name": "客户名称", "contact_name": "联系人"}
    source = {"entity": "customer_record", "path": f"{tmp_path}/in.csv", "columns": columns}
    result = night({"sheet": source})
    assert result.accepted.select("account_name", "contact_name", "_row").rows() == [("腾飞", "", 2), ("腾飞", "张", 4)]
    assert result.rejected.select("row", "value").rows() == [(3, "腾飞 / ")]


def test_of_a_delta_the_last_delivery_of_a_record_stays_whatever_its_moment_says(deals):
    files = {
        "a.csv": [["O1", "Won", "1", NEW], ["O2", "Won", "1", OLD], ["O1", "Won", "2", OLD]],
        "b.csv": [["O1", "Won", "3", ""], ["O2", "Won", "1", OLD]],
    }
    result = deals(files, mode="delta")
    assert kept(result) == [("b.csv", 2), ("b.csv", 3)]
    assert refused(result) == []
    assert [(account.rows_accepted, account.rows_merged) for account in result.accounts] == [(3, 3), (2, 0)]


@given(
    st.lists(
        st.tuples(st.sampled_from(["O1", "O2", "O3"]), st.sampled_from("12"), st.sampled_from(["", OLD, NEW])),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None)
def test_a_delta_ends_as_if_its_records_were_delivered_one_after_the_other(tmp_path_factory, rows):
    root = tmp_path_factory.mktemp("delta")
    with (root / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *([key, "Won", amount, at] for key, amount, at in rows)])
    source = {"entity": "opportunity", "path": f"{root}/a.csv", "mode": "delta", "columns": COLUMNS}
    result = run_night(root, {"crm": source})
    last = {key: (float(amount), number) for number, (key, amount, _) in enumerate(rows, start=2)}
    found = result.accepted.select("opportunity_id", "amount", "_row").rows()
    assert {key: (float(amount), row) for key, amount, row in found} == last
    (account,) = result.accounts
    assert (account.rows_in, account.rows_merged) == (len(rows), len(rows) - len(last))
