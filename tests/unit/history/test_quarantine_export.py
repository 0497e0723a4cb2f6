"""What the people who mend get: their rows and no others, in their language, with advice, harmless in a spreadsheet."""

import csv
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from flows.config.sources import Sources
from flows.config.stages import Stages
from flows.errors import PermanentError
from flows.history.quarantine import QUARANTINE
from flows.history.quarantine_advice import Advisor
from flows.history.quarantine_export import Readers, chosen_owner, export_by_owner, export_one, open_cells, with_owners
from flows.history.quarantine_ledger import LEDGER, ledger_file, with_row_id
from flows.history.quarantine_owners import PEOPLE
from flows.ingest.reasons import REASONS
from flows.workspace import Workspace

AS_OF = date(2026, 3, 2)
SOURCES = Sources.model_validate(
    {
        "sources": {
            "deals": {
                "entity": "opportunity",
                "path": "deals.csv",
                "dates": ["%d/%m/%Y"],
                "columns": {
                    "opportunity_id": "商机编号",
                    "owner_id": "负责人",
                    "stage": {"from": "阶段", "map": "stages"},
                    "amount": "金额",
                    "expected_close_on": "预计",
                    "forecast_category": "类别",
                },
            },
            "leads": {
                "entity": "lead",
                "path": "leads.csv",
                "columns": {"lead_id": "id", "created_at": "at", "quality": {"from": "rating", "map": {"高": "high"}}},
            },
            "sheet": {"entity": "customer_record", "path": "s.xlsx", "columns": {"account_name": "客户名称"}},
        }
    }
).sources
STAGES = Stages.model_validate(
    {
        "stages": [
            {"key": "proposal", "name_en": "Proposal", "name_zh": "方案定制", "aliases": ["方案"]},
            {"key": "won", "name_en": "Won", "name_zh": "合同签订", "closed": "won"},
            {"key": "lost", "name_en": "Lost", "name_zh": "流失", "closed": "lost"},
        ]
    }
)
USERS = pl.DataFrame(
    [
        ("U1", "王伟", "wang@example.com", "zh", True),
        ("U2", "Ann/../Lee", "ann@example.com", "en", True),
        ("U3", "张强", "z3@example.com", None, True),
        ("U4", "张强", "z4@example.com", None, True),
        ("U5", "李娜", "li5@example.com", None, False),
        ("U6", "李娜", "li6@example.com", None, True),
    ],
    schema=PEOPLE,
    orient="row",
)
READERS = Readers(USERS, "zh", "ops@example.com")


def cell(source: str, row: int, reason: str, column: str | None, value: str | None, **raw: Any) -> dict[str, Any]:
    """A quarantined cell of a source with the source row it comes from."""
    words = REASONS[reason]
    return {
        "as_of_date": AS_OF, "source": source, "entity": SOURCES[source].entity, "file": f"{source}.csv", "row": row,
        "column": column, "value": value, "reason_code": reason, "reason_en": words.en, "reason_zh": words.zh,
        "raw": json.dumps(raw, ensure_ascii=False),
    }  # fmt: skip


def told(*rows: dict[str, Any]) -> pl.DataFrame:
    cells = with_row_id(pl.DataFrame(list(rows), schema=QUARANTINE)).with_columns(since=pl.col("as_of_date"))
    return with_owners(cells, SOURCES, USERS)


DEAL = cell("deals", 7, "not_a_number", "金额", "=1+1", 商机编号="O1", 负责人="王伟", 金额="=1+1", 阶段="方案")
STRANGE = cell("deals", 9, "unknown_value", "阶段", "方案定", 商机编号="O2", 负责人="ann@example.com", 阶段="方案定")
NOBODY = cell("leads", 3, "required", "id", None, at="2026-01-01", note="@SUM(A1)")


def rows_of(path: Path, sheet: str) -> list[list[Any]]:
    return [[one.value for one in row] for row in openpyxl.load_workbook(path)[sheet].iter_rows()]


def test_every_owner_gets_a_workbook_in_their_language_and_the_operator_the_rest(tmp_path):
    files = export_by_owner(told(DEAL, STRANGE, NOBODY), tmp_path, SOURCES, STAGES, READERS, AS_OF)
    assert [(file.path.name, file.owner_id, file.email, file.rows) for file in files] == [
        ("quarantine-王伟-U1.xlsx", "U1", "wang@example.com", 1),
        ("quarantine-Ann_Lee-U2.xlsx", "U2", "ann@example.com", 1),
        ("quarantine-operator.xlsx", None, "ops@example.com", 1),
    ]
    header, row = rows_of(files[0].path, "deals")
    assert header == [
        "文件",
        "工作表",
        "行",
        "列",
        "现有内容",
        "原因",
        "建议",
        "自",
        "商机编号",
        "负责人",
        "金额",
        "阶段",
    ]
    assert row[:5] == ["deals.csv", None, 7, "金额", "=1+1"]
    assert row[8:] == ["O1", "王伟", "=1+1", "方案"]
    assert row[5] == REASONS["not_a_number"].zh
    header, row = rows_of(files[1].path, "deals")
    assert header[:7] == ["File", "Sheet", "Row", "Column", "Value found", "Reason", "Suggestion"]
    assert (row[5], row[6]) == (REASONS["unknown_value"].en, "Perhaps Proposal?")
    assert "下一个夜间" in rows_of(files[2].path, "汇总")[1][0]


def test_a_workbook_holds_texts_and_no_formula(tmp_path):
    [file] = export_by_owner(told(DEAL), tmp_path, SOURCES, STAGES, READERS, AS_OF)
    with zipfile.ZipFile(file.path) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist() if "worksheets/sheet" in name]
    assert parts
    assert not any("<f>" in part for part in parts)
    assert openpyxl.load_workbook(file.path)["deals"].cell(2, 5).quotePrefix


def test_a_csv_file_defuses_formulas_and_keeps_the_source_row_readable(tmp_path):
    files = export_by_owner(told(DEAL, NOBODY), tmp_path, SOURCES, STAGES, READERS, AS_OF, ending=".csv", language="en")
    with files[0].path.open(encoding="utf-8-sig", newline="") as stream:
        [row] = csv.DictReader(stream)
    assert (row["Row"], row["Value found"]) == ("7", "'=1+1")
    assert row["Source row"] == "商机编号: O1; 负责人: 王伟; 金额: =1+1; 阶段: 方案"


def test_one_file_holds_the_rows_of_all_with_their_owners(tmp_path):
    export_one(told(DEAL, STRANGE, NOBODY), tmp_path / "all.xlsx", SOURCES, STAGES, READERS, AS_OF)
    header, first, second = rows_of(tmp_path / "all.xlsx", "deals")
    assert (header[0], first[0], second[0]) == ("负责人", "王伟", "Ann/../Lee")
    assert rows_of(tmp_path / "all.xlsx", "leads")[1][0] is None
    with pytest.raises(PermanentError, match=r"ends in neither|ends in \.xlsx or \.csv, found '\.pdf'"):
        export_one(told(DEAL), tmp_path / "all.pdf", SOURCES, STAGES, READERS, AS_OF)


@pytest.mark.parametrize(
    ("written", "owner"),
    [
        ("U1", "U1"),
        ("王 伟", "U1"),
        ("WANG@example.com", "U1"),
        ("张强", None),
        ("李娜", "U6"),
        ("li5@example.com", "U5"),
    ],
)
def test_the_owner_is_whom_the_row_names_if_one_person_is_meant(written, owner):
    found = told(cell("deals", 2, "required", "金额", None, 商机编号="O1", 负责人=written))
    assert found["owner_id"].to_list() == [owner]


def test_the_owner_is_found_under_a_known_header_where_no_mapping_says_which(tmp_path):
    found = told(cell("sheet", 4, "ambiguous_name", "客户名称", "*科技", 客户名称="*科技", 負責人="王伟"))
    assert found["owner_id"].to_list() == ["U1"]


def test_an_owner_is_chosen_by_id_name_or_mail(tmp_path):
    cells = told(DEAL, STRANGE, NOBODY)
    for asked in ("u1", "王伟", "Wang@Example.com"):
        assert chosen_owner(cells, asked)["value"].to_list() == ["=1+1"]
    assert chosen_owner(cells, "operator")["row"].to_list() == [3]
    with pytest.raises(PermanentError, match="rows of: .*王伟 \\(U1\\)"):
        chosen_owner(cells, "Zoe")


@pytest.mark.parametrize(
    ("changes", "zh", "en"),
    [
        (
            ("deals", "unknown_value", "阶段", "xyz"),
            "请填写：方案定制、合同签订、流失",
            "Write one of: Proposal, Won, Lost",
        ),
        (("leads", "unknown_value", "rating", "非常好"), "请填写：高", "Write one of: 高"),
        (("deals", "unknown_value", "类别", "comit"), "是否应为 commit、omitted？", "Perhaps commit, omitted?"),
        (("deals", "not_a_date", "预计", "2026-02-30"), "请写成 02/03/2026 的样子", "Write it like 02/03/2026"),
        (("deals", "not_a_number", "金额", "12O,000.00"), "是否应为 120,000.00？", "Perhaps 120,000.00?"),
        (("deals", "not_a_number", "金额", "面议"), "", ""),
        (("deals", "negative", "金额", "-50"), "是否应为 50？", "Perhaps 50?"),
        (("deals", "required", "金额", None), "请补填此项", "Fill it in"),
    ],
)
def test_a_suggestion_says_what_to_write(changes, zh, en):
    source, reason, column, value = changes
    asked = cell(source, 2, reason, column, value) | {"candidates": None}
    assert Advisor(SOURCES, STAGES, AS_OF, "zh").suggest(asked) == zh
    assert Advisor(SOURCES, STAGES, AS_OF, "en").suggest(asked) == en


def test_the_candidates_of_an_ambiguous_name_are_told_and_how_many_there_are_besides():
    candidates = {"known": [{"id": "K1", "name": "腾飞"}, {"id": "K2", "name": None}], "more": 3}
    asked = cell("sheet", 2, "ambiguous_name", "客户名称", "*飞") | {"candidates": json.dumps(candidates)}
    assert Advisor(SOURCES, STAGES, AS_OF, "zh").suggest(asked) == "请改写为编号或全称，可能是：K1 腾飞; K2，另有 3 个"
    assert Advisor(SOURCES, STAGES, AS_OF, "en").suggest(asked).endswith("it may be: K1 腾飞; K2, and 3 more")


def test_rows_of_earlier_nights_that_have_not_healed_are_exported_too(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.prepare()
    night = AS_OF - timedelta(days=1)
    early = pl.DataFrame([DEAL, STRANGE], schema=QUARANTINE)
    early.write_parquet(workspace.quarantine_file(night))
    pl.DataFrame([NOBODY], schema=QUARANTINE).write_parquet(workspace.quarantine_file(AS_OF))
    ids = with_row_id(early)["row_id"]
    lines = [
        {"row_id": ids[0], "first_seen_on": night, "last_seen_on": night},
        {"row_id": ids[1], "first_seen_on": night, "last_seen_on": night, "healed_on": AS_OF, "healed_by": "gone"},
    ]
    ledger_file(workspace, AS_OF).parent.mkdir(parents=True)
    pl.DataFrame(lines, schema=LEDGER).write_parquet(ledger_file(workspace, AS_OF))
    found = open_cells(workspace, AS_OF)
    assert found.select("row", "since").rows() == [(3, AS_OF), (7, night)]


def test_sheets_of_sources_whose_names_begin_alike_have_names_of_their_own(tmp_path):
    long = [
        cell("deals", 2, "required", "x", None) | {"source": f"a/very:long*name?of[a]source\\{n}"} for n in range(3)
    ]
    export_one(told(*long), tmp_path / "all.xlsx", SOURCES, STAGES, READERS, AS_OF)
    names = openpyxl.load_workbook(tmp_path / "all.xlsx").sheetnames
    assert len(names) == 4
    assert all(len(name) <= 31 for name in names)
