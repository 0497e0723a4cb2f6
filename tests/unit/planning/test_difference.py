"""What differs between two versions of a plan is told entry by entry, field by field."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Plan
from flows.config.plan.versions import resolved
from flows.errors import ConfigError
from flows.planning.cell_difference import headed, of_cells, of_years
from flows.planning.difference import find_version, of_plans, of_versions

BOOKED = ("bookings", "company")
PLAN = {
    "year": 2026,
    "goals": [{"id": "G1", "name": "grow", "initiatives": [{"id": "I1", "name": "fairs", "budget": "30万"}]}],
    "versions": [
        {
            "id": "v1",
            "effective_on": "2026-01-01",
            "decided_by": "u1",
            "reason": "annual plan",
            "targets": [{"metric": "bookings", "base": "1200万"}, {"metric": "won_count", "base": 30}],
            "people": [{"user_id": "r1", "region": "North"}],
            "seasonality": {"by": "flat"},
        },
        {
            "id": "v2",
            "effective_on": "2026-07-01",
            "decided_by": "u1",
            "reason": "half-year revision",
            "targets": [{"metric": "bookings", "base": "1500万", "proposals": {"growth": "25%"}}],
            "people": [{"user_id": "r1", "left_on": "2026-07-31"}, {"user_id": "r2"}],
        },
    ],
}


def lines(found) -> list[tuple[str, ...]]:
    return [(one.section, one.entry, one.field, one.change, one.before, one.after) for one in found]


def test_two_versions_are_compared_with_what_each_takes_over():
    first, second = resolved(Plan.model_validate(PLAN))
    assert lines(of_versions(first, second)) == [
        ("version", "", "effective_on", "changed", "2026-01-01", "2026-07-01"),
        ("version", "", "reason", "changed", "annual plan", "half-year revision"),
        ("targets", "bookings · company", "base", "changed", "12,000,000", "15,000,000"),
        ("targets", "bookings · company", "proposals.growth", "changed", "", "0.25"),
        ("targets", "bookings · company", "proposals.trend", "changed", "", "no"),
        ("targets", "bookings · company", "proposals.capacity", "changed", "", "no"),
        ("people", "r1", "left_on", "changed", "", "2026-07-31"),
        ("people", "r2", "", "added", "", "quota: 1, active_share: 1, potential: 1"),
    ]
    assert of_versions(second, second) == ()


def test_two_states_of_a_file_are_compared_as_written():
    before = Plan.model_validate(PLAN)
    changed = {**PLAN, "goals": [], "versions": [PLAN["versions"][0], {**PLAN["versions"][1], "targets": []}]}
    found = of_plans(before, Plan.model_validate(changed))
    assert [(one.version, one.section, one.entry, one.change) for one in found] == [
        ("", "goals", "G1", "removed"),
        ("", "initiatives", "I1", "removed"),
        ("v2", "targets", "bookings · company", "removed"),
    ]
    assert of_plans(before, before) == ()


def test_a_version_that_is_not_there_is_bad_usage_and_the_message_lists_those_that_are():
    with pytest.raises(ConfigError, match=r"\(v1, v2\); found 'v3'"):
        find_version([Plan.model_validate(PLAN)], "v3")


def _planned(tmp_path: Path, config: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "plans").mkdir(parents=True)
    for path in config.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "plans" / "2026.yaml").write_text(json.dumps(PLAN), encoding="utf-8")
    return folder


def test_the_command_prints_a_table_or_one_json_document(tmp_path: Path):
    folder = _planned(tmp_path, Path(__file__).parents[3] / "config")

    def diff(*words: str) -> Result:
        where = ["--config", str(folder), "--workspace", str(tmp_path / "var")]
        return CliRunner().invoke(app, [*where, "plan", "diff", "v1", "v2", *words], catch_exceptions=False)

    assert "15,000,000" in diff().output
    document = json.loads(diff("--json").output)
    assert (document["from"], document["to"], len(document["stated"])) == ("v1", "v2", 8)
    # 12 million in twelve months: half is carried into July, so the 15 million leave 9 for the rest of the year.
    company = {one["period"]: one for one in document["cells"] if (one["metric"], one["node_key"]) == BOOKED}
    assert [company["year"][f"base_{side}"] for side in ("before", "after", "delta")] == [
        "12000000.00",
        "15000000.00",
        "3000000.00",
    ]
    assert set(company) == {"M07", "M08", "M09", "M10", "M11", "M12", "Q3", "Q4", "H2", "year"}
    assert sum(Decimal(company[f"M{month:02}"]["base_delta"]) for month in range(7, 13)) == 3_000_000
    later = {"id": "w1", "effective_on": "2027-01-01", "decided_by": "u1", "reason": "next year"}
    later["targets"] = [{"metric": "bookings", "base": "18m"}]
    (folder / "plans" / "2027.yaml").write_text(json.dumps({"year": 2027, "versions": [later]}), encoding="utf-8")
    where = ["--config", str(folder), "--workspace", str(tmp_path / "var"), "plan", "diff", "v2", "w1"]
    printed = CliRunner().invoke(app, where, catch_exceptions=False).output
    assert "18,000,000.00" in printed and "+20.0%" in printed and "全年" in printed
    assert diff("--xlsx", str(tmp_path / "d.xlsx"), "--node", "rep:r2").exit_code == 0
    book = openpyxl.load_workbook(tmp_path / "d.xlsx")
    assert [sheet.max_row for sheet in book] == [1 + len(document["stated"]), 1 + len(document["cells"])]


def test_versions_of_two_years_are_compared_by_whole_years():
    """12.00 grow to 15.00, by a quarter; a rate changes by 2 points; who came and who went stand on one side."""
    kinds = {"base_hundredths": pl.Int64(), "stretch_hundredths": pl.Int64()}

    def targets(*cells: tuple[str, str, str, int, int | None]) -> pl.DataFrame:
        names = ("metric", "node_key", "period_kind", "base_hundredths", "stretch_hundredths")
        return pl.DataFrame([dict(zip(names, cell, strict=True)) for cell in cells], schema_overrides=kinds)

    before = targets(
        ("bookings", "company", "year", 1200, 1500),
        ("bookings", "company", "month", 100, None),
        ("bookings", "rep:a", "year", 0, None),
        ("bookings", "rep:b", "year", 1200, None),
        ("collection_rate", "company", "year", 8500, None),
    )
    after = targets(
        ("bookings", "company", "year", 1500, None),
        ("bookings", "rep:a", "year", 1500, None),
        ("collection_rate", "company", "year", 8700, None),
    )
    found = of_years(before, after)
    assert [(one["metric"], one["node_key"], one["base_delta"], one["base_growth"]) for one in found] == [
        ("bookings", "company", Decimal("3.00"), Decimal("0.2500")),
        ("bookings", "rep:a", Decimal("15.00"), None),
        ("bookings", "rep:b", None, None),
        ("collection_rate", "company", Decimal("2.00"), None),
    ]
    assert (found[0]["stretch_before"], found[0]["stretch_after"], found[0]["stretch_growth"]) == (15, None, None)
    assert headed(found[:1], "zh")[0]["基准：增长"] == "+25.0%"


def test_cells_that_only_one_version_has_are_null_on_the_other_side():
    start, kinds = date(2026, 7, 1), {"base_hundredths": pl.Int64(), "stretch_hundredths": pl.Int64()}

    def targets(*cells: tuple[str, str, int, int | None]) -> pl.DataFrame:
        rows = [
            {"metric": "bookings", "node_key": node, "period_kind": kind, "period_start_on": start,
             "base_hundredths": base, "stretch_hundredths": stretch}
            for node, kind, base, stretch in cells
        ]  # fmt: skip
        return pl.DataFrame(rows, schema_overrides=kinds)

    before = targets(("company", "month", 100, None), ("rep:a", "month", 60, None), ("rep:b", "month", 40, None))
    after = targets(("company", "month", 150, None), ("rep:a", "month", 60, 70), ("rep:c", "month", 90, None))
    found = of_cells(before, after, FiscalCalendar(), 2026)
    assert [
        (one["node_key"], one["period"], one["base_before"], one["base_after"], one["base_delta"]) for one in found
    ] == [
        ("company", "M07", Decimal("1.00"), Decimal("1.50"), Decimal("0.50")),
        ("rep:a", "M07", Decimal("0.60"), Decimal("0.60"), Decimal("0.00")),
        ("rep:b", "M07", Decimal("0.40"), None, None),
        ("rep:c", "M07", None, Decimal("0.90"), None),
    ]
    assert of_cells(before, before, FiscalCalendar(), 2026) == []


def test_cells_are_asked_for_in_the_words_of_a_chinese_workbook_too(tmp_path: Path):
    folder = _planned(tmp_path, Path(__file__).parents[3] / "config")

    def plan(*words: str) -> dict[str, Any]:
        where = ["--config", str(folder), "--workspace", str(tmp_path / "var"), "plan"]
        asked = [*where, *words, "--year", "2026", "--version", "v1", "--json"]
        return json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).output)

    said = plan("explain", "公司", "上半年", "--metric", "签约额")
    assert said == plan("explain", "company", "H1", "--metric", "bookings")
    assert "6,000,000.00" in said["lines"][0]
    assert plan("explain", "人员：r1", "第三季度")["lines"] == plan("explain", "rep:r1", "Q3")["lines"]
