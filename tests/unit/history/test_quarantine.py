"""Listing and exporting quarantined rows: filtered, complete, and harmless in a spreadsheet."""

import csv
import zipfile
from datetime import date

import openpyxl
import polars as pl
import pytest

from flows.errors import PermanentError
from flows.history.quarantine import QUARANTINE, export_quarantine, gather, read_quarantine

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


def test_csv_defuses_formulas_and_keeps_chinese(tmp_path):
    path = export_quarantine(SAMPLE, tmp_path / "out.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["value"] for row in rows] == ['\'=HYPERLINK("http://x")', "待签订", "'@SUM(A1)"]
    assert [row["row"] for row in rows] == ["7", "9", "2"]


def test_xlsx_holds_texts_and_no_formula(tmp_path):
    path = export_quarantine(SAMPLE, tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(path).active
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert values[0] == list(QUARANTINE)
    column = values[0].index("value")
    assert [row[column] for row in values[1:]] == ['=HYPERLINK("http://x")', "待签订", "@SUM(A1)"]
    with zipfile.ZipFile(path) as archive:
        assert "<f>" not in archive.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.cell(2, column + 1).quotePrefix


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(PermanentError, match=r"ends in \.xlsx or \.csv, found '\.pdf'"):
        export_quarantine(SAMPLE, tmp_path / "out.pdf")
    assert list(tmp_path.iterdir()) == []


def test_quarantined_cells_are_gathered_in_the_order_of_their_place(tmp_path):
    for number in range(2):
        SAMPLE[[2 - number, 0]].write_parquet(tmp_path / f"{number}.parquet")
    gathered = gather(sorted(tmp_path.glob("*.parquet")), [{"source": "crm", "file": "a.csv", "row": None}])
    assert gathered.select("file", "row").rows() == [
        ("a.csv", None), ("a.csv", 7), ("a.csv", 7), ("a.csv", 9), ("b.csv", 2)
    ]  # fmt: skip
