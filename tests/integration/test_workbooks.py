"""The four templates as people keep them: every row of ten ugly files is accounted for, and what it should be."""

import csv
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import yaml

from flows.config.loader import load
from flows.config.sources import Sources
from flows.ingest.accounting import FileAccount
from flows.ingest.landing import LandedFile, land
from flows.ingest.noticed import in_words
from flows.ingest.validation import validate
from flows.workspace import Workspace

PROJECT = Path(__file__).parents[2]
BOOKS = PROJECT / "tests" / "fixtures" / "workbooks"
EXPECTED: dict[str, list[dict[str, Any]]] = yaml.safe_load((BOOKS / "expected.yaml").read_text(encoding="utf-8"))
AS_OF = date(2024, 6, 30)


class Read:
    """One file, read as a template."""

    def __init__(self, name: str, root: Path) -> None:
        config = load(PROJECT / "config", {"PLANLOOP_WORKSPACE": str(root)})
        sources = Sources.model_validate({"sources": {"sheets": {"template": True, "path": str(BOOKS / name)}}}).sources
        workspace = Workspace(root / "workspace")
        self.build = workspace.build
        self.landed = land(sources, workspace, AS_OF, sleep=lambda _: None)
        accounts = validate(self.landed, sources, config.settings, config.stages, workspace, AS_OF)
        self.accounts = dict(zip([file.file_id for file in self.landed], accounts, strict=False))
        self.unused = accounts[len(self.landed) :]

    def accepted(self, file: LandedFile) -> dict[int, dict[str, Any]]:
        frame = pl.read_parquet(self.build / "accepted" / file.entity / f"{file.file_id}.parquet")
        assert set(frame["_source"].unique()) <= {f"sheets.{file.entity}"}
        return {
            row["_row"]: {
                name: value if isinstance(value, date) else str(value)
                for name, value in row.items()
                if value not in (None, "") and not name.startswith("_") and name != "requirement_id"
            }
            for row in frame.to_dicts()
        }

    def quarantined(self, file: LandedFile) -> dict[int, dict[str | None, str]]:
        found: dict[int, dict[str | None, str]] = {}
        for row in pl.read_parquet(self.build / "rejected" / f"{file.file_id}.parquet").to_dicts():
            assert row["sheet"] == (file.part.sheet if file.part and file.part.sheet else None)
            assert json.loads(row["raw"])
            found.setdefault(row["row"], {})[row["column"]] = row["reason_code"]
        return found

    def set_aside(self, file: LandedFile) -> dict[int, str]:
        frame = pl.read_parquet(self.build / "set_aside" / f"{file.file_id}.parquet")
        assert all(json.loads(raw) for raw in frame["raw"])
        return dict(frame.select("row", "reason_code").rows())


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Each file read once."""
    known: dict[str, Read] = {}

    def once(name: str) -> Read:
        if name not in known:
            known[name] = Read(name, tmp_path_factory.mktemp("book"))
        return known[name]

    return once


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_row_is_what_it_was_worked_out_to_be(read, name):
    book = read(name)
    assert len(book.landed) == len(EXPECTED[name])
    for file, expected in zip(book.landed, EXPECTED[name], strict=True):
        account: FileAccount = book.accounts[file.file_id]
        if "refused" in expected:
            refused = expected["refused"]
            assert (account.status, file.part.sheet, account.rows_in) == ("refused", refused["sheet"], refused["rows"])
            assert refused["says"] in account.message
            continue
        assert (account.status, file.entity, account.message) == ("accepted", expected["entity"], None)
        if file.part.sheet:
            assert (file.part.sheet, file.part.cell) == (expected["sheet"], expected["cell"])
        accepted = {
            row: {name: value if isinstance(value, date) else written(value) for name, value in values.items()}
            for row, values in expected.get("accepted", {}).items()
        }
        assert book.accepted(file) == accepted
        assert book.quarantined(file) == expected.get("quarantined", {})
        assert book.set_aside(file) == expected.get("set_aside", {})
        assert account.unknown_columns == tuple(expected.get("unknown_columns", ()))
        assert account.rows_in == expected["rows_in"] == account.rows_accepted + account.rows_quarantined
        assert account.rows_set_aside == len(expected.get("set_aside", {}))


def written(value: Any) -> str:
    """Amounts have two decimals; the rest is text."""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_rules_that_were_applied_are_told_with_their_counts(read, name):
    book = read(name)
    for file, expected in zip(book.landed, EXPECTED[name], strict=True):
        account = book.accounts[file.file_id]
        for code, rows in expected.get("notices", {}).items():
            told = [part for part in (account.notice_en or "").split("; ") if words(code) in part]
            assert sum(int(re.search(r"\(([0-9]+)\): ", part)[1]) for part in told) == rows
        for sheet, cells in expected.get("beside", {}).items():
            assert re.search(f"'{sheet}' from row \\d+ \\({cells} cells\\)", account.notice_en)
            assert re.search(f"“{sheet}”第 \\d+ 行起（{cells} 个单元格）", account.notice_zh)
        if not {"notices", "set_aside", "beside"} & expected.keys():
            assert account.notice_en is None
        assert (account.notice_en is None) == (account.notice_zh is None)


def words(code: str) -> str:
    return {"month_only": "a month only", "serial_number": "the number of a day", "unit_not_stated": "names no unit"}[
        code
    ]


@pytest.mark.parametrize("name", [name for name in sorted(EXPECTED) if name.endswith(".xlsx")])
def test_an_independent_reader_counts_the_same_rows(read, name):
    book = read(name)
    pages = openpyxl.load_workbook(BOOKS / name)
    for file in book.landed:
        account, place = book.accounts[file.file_id], file.part
        if account.status == "refused":
            continue
        below = pages[place.sheet].iter_rows(
            min_row=place.header_row + place.header_rows,
            max_row=place.last_row,
            min_col=place.first_column,
            max_col=place.last_column,
            values_only=True,
        )
        filled = sum(any(cell not in (None, "") for cell in row) for row in below)
        assert filled == account.rows_in + account.rows_set_aside


@pytest.mark.parametrize(
    ("name", "encoding"), [("contract_gb18030.csv", "gb18030"), ("customer_record_utf16.csv", "utf-16")]
)
def test_text_files_hold_as_many_records_as_an_independent_reader_counts(read, name, encoding):
    with (BOOKS / name).open(encoding=encoding, newline="") as stream:
        rows = list(csv.reader(stream))
    (account,) = read(name).accounts.values()
    titles = 1 if name.startswith("contract") else 0
    assert account.rows_in == len(rows) - 1 - titles


def test_ids_that_we_make_are_the_same_every_night_and_differ_by_requirement(read, tmp_path):
    (file,) = read("requirement_1.xlsx").landed
    first = pl.read_parquet(read("requirement_1.xlsx").build / "accepted" / "requirement" / f"{file.file_id}.parquet")
    again = Read("requirement_1.xlsx", tmp_path)
    second = pl.read_parquet(again.build / "accepted" / "requirement" / f"{file.file_id}.parquet")
    assert first["requirement_id"].to_list() == second["requirement_id"].to_list()
    assert first["requirement_id"].n_unique() == first.height
    # sha256 of 腾飞科技, 性能 and 秒级响应 with a unit separator between them.
    assert first.filter(pl.col("requirement_type") == "性能")["requirement_id"].to_list() == ["3d193694a5cabc2c"]


def test_templates_that_no_table_fills_are_accounted_for_with_no_rows(read):
    book = read("contract_1.xlsx")
    assert Counter((account.source, account.status, account.rows_in) for account in book.unused) == Counter(
        {(f"sheets.{entity}", "accepted", 0): 1 for entity in ("customer_record", "stage_progress", "requirement")}
    )
    for account in book.unused:
        (accepted,) = (book.build / "accepted" / account.entity).glob("*.parquet")
        assert pl.read_parquet(accepted).is_empty()


def test_a_notice_is_told_in_both_languages():
    assert in_words({("签订日期", "month_only"): 1200}) == (
        "签订日期 names a month only (1,200): read as its last day for a deadline, else as its first",
        "“签订日期”有 1,200 处只写了月份：截止日期按当月最后一天、其他日期按当月第一天读取",
    )
