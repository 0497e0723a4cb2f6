"""An amount that is merged over several rows is counted once or not at all, never once a row."""

from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from flows.ingest.readers.workbook import open_workbook, survey
from tests.unit.ingest.conftest import Night

HEADER = ["合同编号", "客户名称", "合同金额(万元)", "签订日期", "成本"]
DAY = "2024-01-05"


def sheet(path: Path, rows: list[list], *merges: str) -> Path:
    book = openpyxl.Workbook()
    for row in [HEADER, *rows]:
        book.active.append(row)
    for cells in merges:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def read(night, folder: Path) -> Night:
    return night({"sheets": {"template": True, "entity": "contract", "path": f"{folder}/*.xlsx"}})


def reasons(found: Night) -> list[tuple]:
    return sorted(found.rejected.select("row", "column", "value", "reason_code").rows())


def test_one_amount_of_several_contracts_is_nobodys(night, tmp_path):
    rows = [["A", "甲", 100, DAY], ["B", "甲", None, DAY], ["C", "乙", None, DAY], ["D", "乙", 7, DAY]]
    sheet(tmp_path / "a.xlsx", rows, "C2:C4")
    found = read(night, tmp_path)
    assert found.accepted.select("contract_id", "amount").rows() == [("D", Decimal("70000.00"))]
    assert reasons(found) == [(row, "合同金额(万元)", "100", "shared_amount") for row in (2, 3, 4)]
    (account,) = found.accounts
    assert (account.rows_in, account.rows_accepted, account.rows_quarantined) == (4, 1, 3)


def test_rows_of_one_contract_share_nothing(night, tmp_path):
    rows = [["A", "甲", 100, DAY], [None, "甲", None, DAY], ["B", "乙", 7, DAY]]
    sheet(tmp_path / "a.xlsx", rows, "A2:A3", "C2:C3")
    found = read(night, tmp_path)
    assert found.accepted["amount"].sum() == Decimal("1070000.00")
    assert reasons(found) == [(3, "合同编号", "A", "duplicate_key")]


def test_a_second_contract_taints_the_rows_of_the_first(night, tmp_path):
    rows = [["A", "甲", 100, DAY], ["A", "甲", None, DAY], ["B", "甲", None, DAY]]
    sheet(tmp_path / "a.xlsx", rows, "C2:C4")
    found = read(night, tmp_path)
    assert found.accepted.is_empty()
    assert {reason for *_, reason in reasons(found)} == {"shared_amount"}


def test_what_is_no_amount_and_what_holds_none_may_be_merged(night, tmp_path):
    rows = [["A", "甲", 100, DAY, None], ["B", None, 50, None, None], ["C", "乙", 7, DAY, 3], ["D", "乙", 8, DAY, None]]
    sheet(tmp_path / "a.xlsx", rows, "B2:B3", "D2:D3", "E2:E3", "E4:E5")
    found = read(night, tmp_path)
    assert found.accepted.select("contract_id", "account_name", "cost").rows() == [("A", "甲", None), ("B", "甲", None)]
    assert reasons(found) == [(4, "成本", "3", "shared_amount"), (5, "成本", "3", "shared_amount")]


@pytest.mark.parametrize("rows", [5, 12])
def test_a_batch_does_not_end_amid_merged_rows_unless_it_is_far_too_long(tmp_path, rows):
    path = sheet(tmp_path / "a.xlsx", [[f"K{n}", "甲", n or 100, DAY] for n in range(14)], f"C3:C{rows + 2}")
    (place,) = survey(path, known=frozenset(["合同编号", "客户名称"])).tables
    batches = list(open_workbook(path, place, batch_rows=4).read())
    covered = pl.concat([batch.covered for batch in batches])
    assert covered.select("__row__", "top").rows() == [(row, 3) for row in range(4, rows + 3)]
    assert [batch.rows.height for batch in batches] == ([6, 4, 4] if rows == 5 else [8, 5, 1])
    for batch in batches:
        assert set(batch.covered["__row__"]) <= set(batch.rows["__row__"])
