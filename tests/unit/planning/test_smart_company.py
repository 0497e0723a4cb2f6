"""``planloop plan check``: on files as they are, those that do not load among them; exit code, JSON, workbook."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from flows.cli import app

GOOD = Path(__file__).with_name("good_plan.yaml").read_text(encoding="utf-8")
CONFIG = Path(__file__).parents[3] / "config"
Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Check a company whose only plan is the text given; no night has been published."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder, ignore=shutil.ignore_patterns("examples", "plans"))
    (folder / "plans").mkdir()

    def run(text: str, *options: str) -> tuple[int, str]:
        (folder / "plans" / "2026.yaml").write_text(text, encoding="utf-8")
        done = CliRunner().invoke(
            app, ["--config", str(folder), "--workspace", str(tmp_path / "var"), "plan", "check", "2026", *options]
        )
        return done.exit_code, done.output

    return run


def test_a_good_plan_ends_with_0_before_the_first_night(check: Check) -> None:
    code, output = check(GOOD, "--json")
    verdicts = [record["verdict"] for record in json.loads(output)]
    assert code == 0, output
    assert "fail" not in verdicts
    assert "pass" in verdicts


def test_a_file_that_does_not_load_is_reported_with_its_line_and_the_rest_is_checked(check: Check) -> None:
    text = GOOD.replace("    pins:\n", "      - {metric: market_share, base: 30, goal: G1}\n    pins:\n").replace(
        "dri: u2", "dri: null"
    )
    code, output = check(text, "--json")
    records = json.loads(output)
    assert code == 1
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "market_share" in row)
    (fault,) = [one for one in records if one["kind"] == "file"]
    assert (fault["letter"], fault["verdict"]) == ("M", "fail")
    assert fault["item"].startswith(f"2026.yaml:{line} ")
    assert "no mart computes this metric" in fault["reason_en"]
    failed = {(one["item"], one["letter"]) for one in records if one["verdict"] == "fail" and one["kind"] != "file"}
    assert failed == {("I1 大客户", "DRI"), ("market_share · company", "M")}
    assert "bookings · company" in {one["item"] for one in records}


def test_what_names_nothing_that_exists_is_a_verdict_and_no_crash(check: Check) -> None:
    code, output = check(GOOD.replace("region:华东", "region:火星").replace("goal: G2", "goal: G9"), "--json")
    failed = {(one["kind"], one["letter"]) for one in json.loads(output) if one["verdict"] == "fail"}
    assert code == 1
    assert {("pin", "S"), ("target", "R"), ("file", "R")} <= failed


def test_a_file_of_which_nothing_can_be_read_is_a_failed_check(check: Check) -> None:
    code, output = check("year: 2026\nversions: [", "--json")
    assert code == 1
    assert [one["kind"] for one in json.loads(output)] == ["file"]


def test_no_plan_is_bad_configuration(check: Check, tmp_path: Path) -> None:
    check(GOOD)
    (tmp_path / "config" / "plans" / "2026.yaml").unlink()
    done = CliRunner().invoke(app, ["--config", str(tmp_path / "config"), "plan", "check"])
    assert "expected a plan" in str(done.exception)


def test_the_workbook_holds_every_verdict_and_reason(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "check.xlsx"
    code, output = check(GOOD, "--xlsx", str(path), "--lang", "en", "--all")
    assert code == 0, output
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["SMART 2026", "reason 2026"]
    (row,) = [
        row for row in book["SMART 2026"].iter_rows(min_row=4, values_only=True) if row[1] == "bookings · company"
    ]
    assert row[3:] == ("pass", "pass", "warn", "pass", "pass", "–")
    reasons = [
        row for row in book["reason 2026"].iter_rows(min_row=2, values_only=True) if row[1] == "bookings · company"
    ]
    assert len(reasons) == 5
    assert any("13,300,000.00, 110.8%" in str(row[5]) for row in reasons)
