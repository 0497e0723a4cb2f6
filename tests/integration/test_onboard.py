"""Real exports, onboarded by the command: what is proposed reads them whole, and what cannot be known is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

PROJECT = Path(__file__).parents[2]
MAVEN = ("company.name=Maven", "company.reporting_currency=USD", "company.time_zone=America/New_York")


def onboard(folder: Path, *words: str, expect: int = 0) -> dict[str, Any]:
    """Run ``planloop onboard`` on a configuration folder, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "--config",
        str(folder / "config"),
        "--workspace",
        str(folder / "var"),
    ]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PLANLOOP_", "PREFECT_API"))}
    ended = subprocess.run(
        [*command, "onboard", *words, "--json"], cwd=PROJECT, env=env, text=True, capture_output=True, timeout=300
    )
    assert ended.returncode == expect, ended.stderr
    return dict(json.loads(ended.stdout))


def answers(*given: str) -> list[str]:
    return [word for answer in given for word in ("--answer", answer)]


def night(found: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Rows in, accepted and quarantined by source."""
    names = ("rows_in", "rows_accepted", "rows_quarantined")
    return {row["source"]: tuple(row[name] for name in names) for row in found["rehearsal"]}


@pytest.fixture(scope="module")
def maven(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Maven's files, onboarded into an empty folder."""
    folder = tmp_path_factory.mktemp("maven")
    files = sorted(str(path) for path in (data_folder / "maven").glob("*.csv"))
    return folder, onboard(folder, *files, *answers(*MAVEN, "data_dictionary.entity=ignore"), "--write")


def test_maven_is_read_whole_without_an_edit(maven: tuple[Path, dict[str, Any]]) -> None:
    _, found = maven
    assert found["questions"] == []
    assert night(found) == {
        "accounts": (85, 85, 0),
        "products": (7, 7, 0),
        "opportunities": (8800, 8800, 0),
        "users": (35, 35, 0),
    }
    (deals,) = [row["stages"] for row in found["rehearsal"] if row["source"] == "opportunities"]
    assert deals == {"won": 4238, "lost": 2473, "engaging": 1589, "prospecting": 500}


def test_maven_is_mapped_as_a_person_mapped_it(maven: tuple[Path, dict[str, Any]]) -> None:
    _, found = maven
    entries = {proposal["source"]: proposal["entry"]["columns"] for proposal in found["proposals"]}
    assert entries["opportunities"] == {
        "opportunity_id": "opportunity_id",
        "account_id": "account",
        "owner_id": "sales_agent",
        "stage": {"from": "deal_stage", "map": "stages"},
        "amount": "close_value",
        "created_at": "engage_date",
        "closed_at": "close_date",
        "product_id": "product",
    }
    assert entries["users"]["team"] == "manager"
    assert entries["accounts"]["account_id"] == "account"


def test_what_was_written_loads_and_takes_another_source(maven: tuple[Path, dict[str, Any]], data_folder: Path) -> None:
    folder, _ = maven
    before = (folder / "config" / "sources.yaml").read_text(encoding="utf-8")
    found = onboard(folder, str(data_folder / "adventureworks" / "sales_quota.csv"), "--write")
    assert found["written"] == ["sources.yaml"]
    assert night(found) == {"targets": (163, 163, 0)}
    assert (folder / "config" / "sources.yaml").read_text(encoding="utf-8").startswith(before.rstrip("\n"))


def test_adventureworks_nulls_lines_and_quotas(data_folder: Path, tmp_path: Path) -> None:
    folder = data_folder / "adventureworks"
    names = ("employee_territory.csv", "reseller_sales.csv", "sales_quota.csv")
    given = answers("company.name=AdventureWorks", "company.reporting_currency=USD", "company.country=US")
    found = onboard(tmp_path, *(str(folder / name) for name in names), *given)
    assert found["questions"] == []
    assert night(found) == {"users": (39, 39, 0), "line_items": (57851, 57851, 0), "targets": (163, 163, 0)}
    entries = {proposal["source"]: proposal["entry"] for proposal in found["proposals"]}
    assert entries["line_items"]["nulls"] == ["", "NULL"]
    assert entries["line_items"]["columns"]["line_item_id"] == {"concat": ["SalesOrderNumber", "ProductKey"]}
    assert entries["users"]["repeats"] is True
    assert entries["targets"]["columns"]["period_kind"] == {"value": "quarter"}
    assert not (tmp_path / "config").exists()


def test_what_no_entity_explains_is_asked_for(data_folder: Path, tmp_path: Path) -> None:
    found = onboard(tmp_path, str(data_folder / "adventureworks" / "territory.csv"))
    assert [question["id"] for question in found["questions"]] == [
        "territory.entity",
        "company.name",
        "company.country",
    ]


def test_nothing_is_written_while_a_question_is_open(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(
        "Deal ID,Deal Name,Stage,Amount,Close Date\n1,A,Proposal,10,03/04/2024\n2,B,Closed Won,20,05/06/2024\n",
        encoding="utf-8",
    )
    given = ("company.name=Acme", "company.reporting_currency=EUR", "company.country=DE")
    path = str(tmp_path / "deals.csv")
    found = onboard(tmp_path, path, *answers(*given), "--write", expect=2)
    assert [question["id"] for question in found["questions"]] == ["opportunities.Close Date"]
    assert not (tmp_path / "config").exists()
    found = onboard(tmp_path, path, *answers(*given, "opportunities.Close Date=%d/%m/%Y"), "--write")
    assert sorted(found["written"]) == ["alerts.yaml", "settings.yaml", "sources.yaml", "stages.yaml"]


def test_every_sheet_of_a_workbook_is_looked_at(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "team.xlsx") as book:
        plan = book.add_worksheet("目标")
        for number, row in enumerate(
            [["2024 年销售目标"], [], ["月份", "姓名", "销售目标(万元)"], ["2024-01-01", "张三", 20]]
        ):
            plan.write_row(number, 0, row)
        progress = book.add_worksheet("进度")
        header = ["客户名称", "当前阶段", "阶段开始时间", "预计完成时间", "待办事项", "负责人"]
        for number, row in enumerate([header, ["甲公司", "需求挖掘", "2024-03-01", "2024-04-01", "报价", "张三"]]):
            progress.write_row(number, 0, row)
    found = onboard(tmp_path, str(tmp_path / "team.xlsx"), *answers("company.name=甲"))
    assert found["questions"] == []
    entries = {proposal["source"]: proposal["entry"] for proposal in found["proposals"]}
    assert entries["targets"]["sheet"] == "目标"
    assert entries["targets"]["columns"]["base"] == {"from": "销售目标(万元)", "unit": "万元"}
    # A process template needs no mapping.
    assert (entries["stage_progress"]["template"], "columns" in entries["stage_progress"]) == (True, False)
    assert night(found) == {"targets": (1, 1, 0), "stage_progress": (1, 1, 0)}
