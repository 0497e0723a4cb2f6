"""A plan is the same in its file and in its workbook, whatever it holds; faults of a workbook name their cell."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config.plan.faults import plan_faults
from flows.config.plan.metrics import known_metrics
from flows.config.plan.model import Check, Plan, Version
from flows.config.plan.versions import resolved
from flows.config.yaml_file import parse
from flows.errors import ConfigError
from flows.planning.files.plan_yaml import leading_comment, plan_text
from flows.planning.files.sheets import CHECK, NAMED, SECTIONS, SHEETS, VERSIONS
from flows.planning.files.words import meant, said, words_of
from flows.planning.files.workbook import write_workbook
from flows.planning.files.workbook_reading import read_workbook
from flows.warehouse.glossary import load_glossary
from tests.unit.planning.any_plan import COMPANY, plans

LANGUAGES = ("zh", "en")
QUICK = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def plan_of(workbook: Path) -> Plan:
    return read_workbook(workbook, COMPANY)[0]


def same(read: Plan, written: Plan) -> None:
    assert read == written
    # What a version states decides what it takes over, so it is to be the same as well.
    assert [one.whole for one in resolved(read)] == [one.whole for one in resolved(written)]


@QUICK
@given(plan=plans(), language=st.sampled_from(LANGUAGES))
def test_any_plan_comes_back_from_its_workbook(tmp_path: Path, plan: Plan, language: Any) -> None:
    assert plan_faults(plan, COMPANY, str) == []
    same(plan_of(write_workbook(plan, tmp_path / "plan.xlsx", language)), plan)


@QUICK
@given(plan=plans(), language=st.sampled_from(LANGUAGES))
def test_any_plan_comes_back_from_its_file(tmp_path: Path, plan: Plan, language: Any) -> None:
    path = tmp_path / "2026.yaml"
    path.write_text(plan_text(plan, language), encoding="utf-8")
    faults: list[str] = []
    read = parse(path, Plan, faults)
    assert read is not None, faults
    same(read, plan)
    assert plan_text(read, language) == path.read_text(encoding="utf-8")


PLAN: dict[str, Any] = {
    "year": 2026,
    "goals": [{"id": "G1", "name": "grow", "initiatives": [{"id": "I1", "name": "fairs", "budget": "30万"}]}],
    "versions": [
        {
            "id": "v1",
            "effective_on": "2026-01-01",
            "decided_by": "u1",
            "reason": "=HYPERLINK(1)",
            "targets": [{"metric": "bookings", "base": "1200万", "stretch_ratio": "120%", "goal": "G1"}],
            "pins": [{"metric": "bookings", "node": "rep:r1", "period": "2026-03", "base": 100, "reason": "fair"}],
            "people": [{"user_id": "r1", "name": "王芳", "region": "华东", "ramp": "slow"}],
            "ramps": [{"id": "slow", "shares": ["20%", "60%"]}],
        }
    ],
}


def workbook(tmp_path: Path, language: Any = "zh") -> Path:
    return write_workbook(Plan.model_validate(PLAN), tmp_path / "plan.xlsx", language)


def test_every_field_of_a_plan_has_a_column() -> None:
    for sheet in SECTIONS:
        model: Any = Version.model_fields[sheet.section].annotation
        while not hasattr(model, "model_fields"):
            model = get_args(model)[0]
        columns = {column.field.partition(".")[0] for column in sheet.columns} - {"version"}
        assert columns | {"seasonality"} == set(model.model_fields) | {"seasonality"}, sheet.section
    sections = {sheet.section for sheet in (*SECTIONS, *NAMED, CHECK)} | {"seasonality"}
    assert sections | {column.field for column in VERSIONS.columns} == set(Version.model_fields)
    assert {column.field for column in CHECK.columns} - {"version"} == set(Check.model_fields)
    assert len({sheet.title(language) for sheet in SHEETS for language in LANGUAGES}) == 2 * len(SHEETS)


@pytest.mark.parametrize(("language", "title"), [("zh", "目标"), ("en", "Targets")])
def test_the_workbook_speaks_the_language_of_its_reader_and_holds_no_formula(
    tmp_path: Path, language: str, title: str
) -> None:
    book = openpyxl.load_workbook(workbook(tmp_path, language))
    assert title in book.sheetnames
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert [cell.value for cell in cells].count("=HYPERLINK(1)") == 1


def test_a_chinese_workbook_has_words_for_all_that_the_plan_file_names_and_each_means_one_thing(tmp_path: Path) -> None:
    known = {metric.key: metric.name.zh for metric in load_glossary()}
    for sheet in SHEETS:
        for column in sheet.columns:
            words = words_of(sheet.section, column.field)
            for keyword, word in words.items():
                assert said(sheet.section, column.field, keyword, "zh") == word
                assert meant(sheet.section, column.field, word) == keyword
                assert meant(sheet.section, column.field, f" {keyword.upper()}") == keyword
                assert keyword not in known or word == known[keyword], keyword
    assert set(words_of("targets", "metric")) == set(known_metrics()) - {"entered:<stage>", "activities:<kind>"}
    book = openpyxl.load_workbook(workbook(tmp_path))
    texts = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    offered = {one.formula1 for sheet in book for one in sheet.data_validations.dataValidation}
    assert {"签约额", "人员:r1", "项目型", "财年", "举措"} <= texts
    assert '"提成,奖金,专项奖"' in offered
    assert not [one for one in texts | offered if one in ("bookings", "company", "rep:r1", "project", "year")]
    # A share may be typed where it may be left to history.
    assert not [one for one in book["漏斗"].data_validations.dataValidation if "按历史" in one.formula1]


def edited(tmp_path: Path, edit: Callable[[Any], None]) -> Path:
    path = workbook(tmp_path)
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)
    return path


def test_a_workbook_filled_in_by_people_is_read_as_they_mean_it(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        book["目标"]["E2"] = "１,３００万"
        book["目标"]["R1"], book["目标"]["R2"] = "#备注", "agreed on the phone"
        book["人员"]["F2"] = "2026/3/1"
        book["指定值"]["D2"] = datetime(2026, 4, 1)
        book["人员"].append(["v1", 1024, None, "華東"])
        book["爬坡"].title = "Ramps"
        book.create_sheet("# notes")["A1"] = "anything"

        book["计划"]["B2"] = "2026年"
        book["目标"].append(["v1", "毛利 ", "区域：华东", None, "８５万"])
        book["目标"].append(["v1", "bookings", "team:华东/A", None, 85])
        book["目标"].append(["v1", "进入阶段:proposal", "大区:华东", None, "1,200 "])
        book["指定值"].append(["v1", "签约额", "公司", "上半年", 5, None, "x"])
        book["指定值"].append(["v1", "签约额", "公司", "2026年7月", 5, None, "x"])
        book["指定值"].append(["v1", "签约额", "公司", "ｑ４", 5, None, "x"])
        for number, day in enumerate(
            ("2026年7月1日", "２０２６．７．１", datetime(2026, 7, 1), "2026-07-01 "), start=4
        ):
            book["人员"].append(["v1", f"p{number}", None, "华东" if number == 4 else None, None, day])
            book["人员"].cell(number, 11).value = ("12%", "１２％", 0.12, " .12 ")[number - 4]
        book["人员"]["E4"] = "A"
        book["人员"].merge_cells("D4:D7")
        book.create_sheet("预支款")

    version = plan_of(edited(tmp_path, edit)).versions[0]
    assert [(one.metric, one.node, one.base) for one in version.targets[1:]] == [
        ("margin", "region:华东", 850_000),
        ("bookings", "team:华东/A", 85),
        ("entered:proposal", "region:华东", 1200),
    ]
    assert [one.period for one in version.pins[1:]] == ["H1", "2026-07", "Q4"]
    joined = [(one.region, one.hired_on, str(one.active_share)) for one in version.people[2:]]
    assert joined == [("华东", date(2026, 7, 1), "0.12")] * 4
    assert version.targets[0].base == 13_000_000
    assert (version.people[0].hired_on, version.people[1].user_id) == (date(2026, 3, 1), "1024")
    assert (version.pins[0].period, len(version.ramps[0].shares)) == ("2026-04", 2)


def test_a_row_of_months_is_a_pin_for_each_cell_and_a_fault_names_the_month(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        book["逐月指定值"].append(["v1", "签约额", "人员:r1", "12万", None, None, "１,５００", *[None] * 8, "商定"])

    pins = plan_of(edited(tmp_path, edit)).versions[0].pins
    assert [(pin.node, pin.period, pin.base) for pin in pins] == [
        ("rep:r1", "2026-03", 100),
        ("rep:r1", "M01", 120_000),
        ("rep:r1", "M04", 1_500),
    ]

    def wrong(book: Any) -> None:
        book["逐月指定值"].append(["v1", "赢单数", "company", *[None] * 5, 2.5, *[None] * 6, "商定"])
        book["逐月指定值"].append(["v1", "赢单数", "company", *[None] * 12, "商定"])

    with pytest.raises(ConfigError) as refused:
        plan_of(edited(tmp_path, wrong))
    told = [fault.partition("plan.xlsx: ")[2] for fault in refused.value.faults]
    assert told[0] == "sheet 逐月指定值, row 3: expected an amount in one of M01 to M12, found none"
    assert told[1].startswith("sheet 逐月指定值, row 2, column M06: expected a whole number for won_count, found 2.5")


def test_a_missing_column_is_told_once_with_what_stands_there_and_no_file_is_refused_without_its_name(
    tmp_path: Path,
) -> None:
    path = edited(tmp_path, lambda book: book["目标"].delete_cols(2))
    with pytest.raises(ConfigError) as refused:
        plan_of(path)
    [fault] = refused.value.faults
    assert fault.startswith(f"{path}: sheet 目标, row 1: expected a column 指标/Metric, found 版本, 节点")
    path.write_text("hello")
    with pytest.raises(ConfigError, match=rf"{path}: Expected a workbook, found something else"):
        plan_of(path)


def test_faults_of_a_workbook_are_told_all_at_once_with_sheet_row_and_column(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        book["目标"]["I2"] = "G9"
        book["目标"]["D1"] = "细份"
        book["指定值"]["E2"] = "=1/0"
        book["人员"]["I2"] = "fast"
        book["人员"]["F2"] = "soon"
        book["爬坡"]["A3"] = "v9"
        book.create_sheet("预算")["A1"] = 1

    path = edited(tmp_path, edit)
    with pytest.raises(ConfigError) as refused:
        plan_of(path)
    told = [fault.removeprefix(f"{path}: ") for fault in refused.value.faults]
    assert [fault.partition(":")[0] for fault in told] == [
        "sheet 目标, row 1",
        "sheet 指定值, row 2, column 基准目标",
        "sheet 预算",
        "sheet 爬坡, row 3, column 版本",
        "sheet 人员, row 2, column 入职日期",
        "sheet 目标, row 2, column 所属目标",
    ]
    assert told[1].startswith("sheet 指定值, row 2, column 基准目标: expected a value, found '=1/0' without one")
    assert told[4] == "sheet 人员, row 2, column 入职日期: expected a day such as 2026-07-31; found 'soon'"

    def mended(book: Any) -> None:
        book["目标"]["I2"] = "G9"
        book["人员"]["I2"] = "fast"

    with pytest.raises(ConfigError) as refused:
        plan_of(edited(tmp_path, mended))
    assert [fault.removeprefix(f"{path}: ") for fault in refused.value.faults] == [
        "sheet 目标, row 2, column 所属目标: expected the id of a goal (G1); found 'G9'",
        "sheet 人员, row 2, column 爬坡曲线: expected the id of a ramp (slow); found 'fast'",
    ]


def test_what_is_merged_and_belongs_to_nobody_is_refused_with_its_cell(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        for number in (3, 4):
            book["目标"].append(["v1", "margin", f"region:{'华东' if number == 3 else '华南'}", None, 5])
            book["指定值"].append(["v1", "bookings", "company", f"M0{number}", 5, None, "x"])
        book["目标"].merge_cells("E3:E4")
        book["指定值"].merge_cells("F3:G3")
        book["人员"].insert_cols(3)
        book["人员"]["C2"] = "A-1"

    path = edited(tmp_path, edit)
    with pytest.raises(ConfigError) as refused:
        plan_of(path)
    told = [fault.removeprefix(f"{path}: ") for fault in refused.value.faults]
    assert told[0].startswith(
        "sheet 目标, row 3, column 基准目标: expected a number in each row, found 5.0 merged over rows"
    )
    assert any(fault.startswith("sheet 人员, row 2, column 3: expected a heading above 'A-1'") for fault in told)


def test_a_file_is_written_as_people_write_it(tmp_path: Path) -> None:
    text = plan_text(Plan.model_validate(PLAN), "zh", leading_comment("# ours\n# agreed\n\nyear: 2026 # lost\n"))
    assert text.startswith("# ours\n# agreed\nyear: 2026\n")
    assert "      - {metric: bookings, base: 1200万, stretch_ratio: 1.2, goal: G1}\n" in text
    assert "base: 12000000," in plan_text(Plan.model_validate(PLAN), "en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    (config / "plans").mkdir(parents=True)
    for path in (Path(__file__).parents[3] / "config").glob("*.yaml"):
        (config / path.name).write_bytes(path.read_bytes())
    (config / "plans" / "2026.yaml").write_text(f"# ours\n{json.dumps(PLAN)}", encoding="utf-8")
    return config


def planloop(folder: Path, *words: str) -> Result:
    where = ["--config", str(folder), "--workspace", str(folder.parent / "var")]
    return CliRunner().invoke(app, [*where, "plan", *words])


@pytest.mark.parametrize("name", ["no", "ON", "y", "null", "e5", "u1", "1e5", "王", "a-b"])
def test_a_person_keeps_the_id_that_yaml_would_read_as_something_else(tmp_path: Path, name: str) -> None:
    version = {"id": "v1", "effective_on": date(2026, 1, 1), "decided_by": "a", "reason": "b"}
    plan = Plan.model_validate({"year": 2026, "versions": [{**version, "people": [{"user_id": name}]}]})
    path = tmp_path / "2026.yaml"
    path.write_text(plan_text(plan, "en"), encoding="utf-8")
    assert parse(path, Plan, []) == plan


def test_a_workbook_changes_the_plan_file_only_when_asked_to(folder: Path) -> None:
    file, plan_file = folder.parent / "p.xlsx", folder / "plans" / "2026.yaml"
    before = plan_file.read_bytes()
    assert planloop(folder, "export", "2026", str(file)).exit_code == 0
    unchanged = planloop(folder, "import", str(file), "--write")
    assert "says the same already" in unchanged.output
    assert plan_file.read_bytes() == before
    book = openpyxl.load_workbook(file)
    book["目标"]["E2"] = 13_000_000
    book.save(file)
    shown = json.loads(planloop(folder, "import", str(file), "--json").output)
    assert [(one["entry"], one["before"], one["after"]) for one in shown["differences"]] == [
        ("bookings · company", "12,000,000", "13,000,000")
    ]
    assert (plan_file.read_bytes(), shown["written"]) == (before, False)
    assert planloop(folder, "import", str(file), "--write").exit_code == 0
    text = plan_file.read_text(encoding="utf-8")
    assert text.startswith("# ours\n")
    assert "base: 1300万" in text


def test_a_plan_that_does_not_load_with_the_rest_leaves_everything_as_it_was(folder: Path) -> None:
    file = folder.parent / "p.xlsx"
    plan = {**PLAN, "year": 2027, "versions": [{**PLAN["versions"][0], "effective_on": "2027-01-01", "pins": []}]}
    write_workbook(Plan.model_validate(plan), file, "en")
    refused = planloop(folder, "import", str(file), "--write")
    assert isinstance(refused.exception, ConfigError)
    assert "expected an id that names one version, found 'v1'" in str(refused.exception)
    assert [path.name for path in (folder / "plans").iterdir()] == ["2026.yaml"]


def test_a_workbook_whose_amounts_cannot_hold_is_not_written_and_the_cell_is_named(folder: Path) -> None:
    file, plan_file = folder.parent / "p.xlsx", folder / "plans" / "2026.yaml"
    before = plan_file.read_bytes()
    assert planloop(folder, "export", "2026", str(file)).exit_code == 0
    book = openpyxl.load_workbook(file)
    book["指定值"].append(["v1", "bookings", "rep:r1", "Q1", "2,000万", None, "too much"])
    book.save(file)
    refused = planloop(folder, "import", str(file), "--write")
    assert isinstance(refused.exception, ConfigError)
    assert refused.exception.faults[0] == (
        f"{file}: sheet 指定值, row 3, column 基准目标: bookings, company year: expected parts of at most 12,000,000 "
        "(company year), found 20,000,000 (rep:r1 Q1); lower a part, or raise the whole "
        "(see also sheet 目标, row 2, column 基准目标)"
    )
    assert plan_file.read_bytes() == before
