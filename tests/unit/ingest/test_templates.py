"""Templates are recognised by their headers alone, tables are found where they stand, and the rest is told."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from flows.config.loader import load
from flows.config.sources import Sources
from flows.errors import ConfigError
from flows.ingest.templates import Recognised, Unrecognised, recognise
from schemas import TEMPLATES
from tests.unit.ingest.conftest import Night

HEADERS = {
    "customer_record": (
        "客户名称 行业 企业规模 联系人 职务 联系方式 线索来源 开发阶段 负责人 首次接触时间 预计成交时间 备注"
    ).split(),
    "stage_progress": "客户名称 当前阶段 阶段开始时间 预计完成时间 已完成动作 待办事项 风险点 负责人".split(),
    "requirement": "客户名称 需求类型 具体需求描述 优先级 客户痛点 解决方案方向 确认人 确认时间".split(),
    "contract": (
        "合同编号 客户名称 合同金额(万元) 签订日期 付款方式 交付周期 主要条款(如服务范围) 负责人 归档状态"
    ).split(),
}
SIGNED = ["合同编号", "客户名称", "合同金额(万元)", "签订日期", "付款方式"]


def book(path: Path, **sheets: list[list]) -> Path:
    """Write sheets; moments become cells that show a date."""
    path.parent.mkdir(exist_ok=True)
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as workbook:
        for name, rows in sheets.items():
            page = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return path


def sheets(folder: Path, **options: object) -> dict:
    return {"sheets": {"template": True, "path": f"{folder}/*", **options}}


def found(night: Night) -> list[tuple]:
    return [(account.source, account.file, account.status, account.rows_in) for account in night.accounts]


@pytest.mark.parametrize("entity", TEMPLATES)
def test_a_template_is_recognised_by_its_own_header(entity):
    what = recognise(HEADERS[entity])
    assert isinstance(what, Recognised)
    assert (what.entity, what.unknown) == (entity, ())
    assert list(what.columns.values()) == HEADERS[entity]


@pytest.mark.parametrize(
    ("headers", "entity", "told"),
    [
        (["客户名称", "合同金额(万元)", "签订日期"], "contract", "without '合同编号'"),
        (["客户名称", "当前阶段", "负责人", "预计完成时间"], "stage_progress", "without '阶段开始时间'"),
        (["姓名", "部门", "工号"], None, "found '姓名', '部门', '工号'"),
        (["合同编号", "金额", "合同总额", "客户名称"], "contract", "'金额' and '合同总额'"),
        ([*"ABCDEFG", "合同编号", "客户名称", "金额"], "contract", "too few are known (3 of 10"),
        (["客户名称", "客户名称", "合同编号", "签订日期"], "contract", "'客户名称' and '客户名称'"),
    ],
)
def test_what_is_no_template_is_told_with_what_it_lacks(headers, entity, told):
    what = recognise(headers)
    assert isinstance(what, Unrecognised)
    assert what.nearest == entity
    assert told in what.message


def test_the_own_wording_of_a_template_stands_above_its_synonyms():
    what = recognise(["客户名称", "联系人", "联系方式", "手机", "开发阶段"])
    assert isinstance(what, Recognised)
    assert (what.columns["contact_details"], what.unknown) == ("联系方式", ("手机",))
    settled = recognise(["合同编号", "客户名称", "合同总额", "金额"], ignore=["金额"])
    assert isinstance(settled, Recognised)
    assert settled.columns["amount"] == "合同总额"


def test_what_the_configuration_maps_itself_counts_as_known(tmp_path, night):
    book(tmp_path / "in" / "a.xlsx", 台账=[["协议号", "客户名称", "总价", "签订日期"], ["X1", "甲", 5, "20/05/2024"]])
    columns = {
        "contract_id": "协议号",
        "amount": {"from": "总价", "unit": "万元"},
        "signed_on": {"from": "签订日期", "formats": ["%d/%m/%Y"]},
    }
    result = night(sheets(tmp_path / "in", columns=columns))
    (row,) = result.accepted.filter(pl.col("contract_id").is_not_null()).to_dicts()
    assert (row["contract_id"], row["amount"], row["signed_on"]) == ("X1", Decimal("50000.00"), date(2024, 5, 20))


def test_each_table_of_a_workbook_becomes_an_input_of_its_own_source(tmp_path, night: Callable[..., Night]):
    contract = ["HT-1", "甲公司", 85, datetime(2024, 5, 20), "全款"]
    progress = ["甲公司", "需求挖掘", "2024-05-01", "2024年6月"]
    book(
        tmp_path / "in" / "all.xlsx",
        合同=[["标题"], SIGNED, contract],
        进度=[
            ["客户名称", "当前阶段", "阶段开始时间", "预计完成时间"],
            progress,
            [],
            [],
            ["其他合同"],
            SIGNED,
            ["HT-2", *contract[1:]],
        ],
    )
    result = night(sheets(tmp_path / "in"))
    assert found(result) == [
        ("sheets.contract", "all.xlsx#合同!A2", "accepted", 1),
        ("sheets.stage_progress", "all.xlsx#进度!A1", "accepted", 1),
        ("sheets.contract", "all.xlsx#进度!A6", "accepted", 1),
        ("sheets.customer_record", "", "accepted", 0),
        ("sheets.requirement", "", "accepted", 0),
    ]


CONTRACTS = [SIGNED, ["HT-1", "甲公司", 85, "2024-05-20", "全款"]]


def test_what_people_keep_beside_their_tables_is_told_with_its_size_and_changes_nothing(tmp_path, night):
    book(
        tmp_path / "in" / "a.xlsx",
        合同=CONTRACTS,
        说明=[["填写说明"], [], ["1. 合同编号不得重复"], ["2. 金额以万元为单位", "必填"]],
        汇总=[["客户名称", "合同数", "合同金额"], ["甲公司", 1, 85], ["乙公司", None, 10]],
        透视=[["行标签", "求和项:合同金额(万元)"], ["甲公司", 85], ["总计", 85]],
        通讯录=[["姓名", "部门"], ["王芳", "华东"]],
    )
    result = night(sheets(tmp_path / "in"))
    assert found(result)[0] == ("sheets.contract", "a.xlsx", "accepted", 1)
    assert {account.status for account in result.accounts} == {"accepted"}
    assert result.rejected.is_empty()
    contract = result.accounts[0]
    assert contract.notice_en == (
        "not read, since no table of a template is there: '汇总' from row 1 (8 cells), '说明' from row 1 (4 cells), "
        "'透视' from row 1 (6 cells), '通讯录' from row 1 (4 cells)"
    )
    assert "“汇总”第 1 行起（8 个单元格）" in contract.notice_zh
    assert "未读取" in contract.notice_zh
    ignoring = night(sheets(tmp_path / "in", ignore=["说明", "汇总", "透视", "通讯录"]))
    assert ignoring.accounts[0].notice_en is None


@pytest.mark.parametrize(
    ("header", "record", "told"),
    [
        (["客户名称", "合同金额(万元)", "签订日期", "付款方式"], ["乙公司", 5, "2024-05-21", "全款"], "'合同编号'"),
        (["合同编号码", "客户名秤", "合同总金额", "签约日期"], ["HT-2", "乙公司", 5, "2024-05-21"], "合同编号"),
        ([*SIGNED[1:], "负责人", *"ABCDEFGHIJ"], ["乙公司", 5, "2024-05-21", "全款", "王芳", *range(10)], "'合同编号'"),
    ],
)
def test_records_under_most_headers_of_a_template_are_refused_and_not_passed_over(
    tmp_path, night, header, record, told
):
    book(tmp_path / "in" / "a.xlsx", 合同=CONTRACTS, 没有编号=[header, record])
    result = night(sheets(tmp_path / "in"))
    assert found(result)[0] == ("sheets.contract", "a.xlsx#合同!A1", "accepted", 1)
    (refused,) = [account for account in result.accounts if account.status == "refused"]
    assert told in refused.message
    assert "没有编号" in refused.message
    assert refused.rows_quarantined >= 1
    ignoring = night(sheets(tmp_path / "in", ignore=["没有编号"]))
    assert {account.status for account in ignoring.accounts} == {"accepted"}


def test_a_template_that_the_source_is_not_asked_for_is_refused_beside_the_one_that_it_is(tmp_path, night):
    progress = [
        ["客户名称", "当前阶段", "阶段开始时间", "预计完成时间"],
        ["甲公司", "需求挖掘", "2024-05-01", "2024年6月"],
    ]
    book(tmp_path / "in" / "a.xlsx", 合同=CONTRACTS, 进度=progress)
    result = night(sheets(tmp_path / "in", entity="contract"))
    assert [account.status for account in result.accounts] == ["accepted", "refused"]


def test_a_workbook_without_any_template_is_refused(tmp_path, night):
    book(
        tmp_path / "in" / "a.xlsx",
        通讯录=[["姓名", "部门"], ["王芳", "华东"]],
        汇总=[["客户名称", "合同数"], ["甲公司", 1]],
    )
    result = night(sheets(tmp_path / "in"))
    refused = {account.file: account.message for account in result.accounts if account.status == "refused"}
    assert len(refused) == 2
    (message,) = [text for text in refused.values() if "通讯录" in text]
    assert "'姓名', '部门'" in message
    assert "`ignore`" in message
    told = result.rejected.filter(pl.col("reason_code") == "file_refused")
    assert set(told.select("sheet", "row").rows()) == {("通讯录", None), ("汇总", None)}


def test_a_workbook_that_cannot_be_opened_is_refused_for_every_template_it_might_fill(tmp_path, night):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.xlsx").write_bytes(b"PK\x03\x04 no archive")
    statuses = [(account.source, account.status) for account in night(sheets(tmp_path / "in")).accounts]
    assert statuses == [(f"sheets.{entity}", "refused") for entity in TEMPLATES]


def test_a_template_without_any_file_is_missing(tmp_path, night):
    statuses = {account.status for account in night(sheets(tmp_path / "none")).accounts}
    assert statuses == {"missing"}


def test_one_template_alone_may_be_asked_for(tmp_path, night):
    book(tmp_path / "in" / "a.xlsx", 合同=[SIGNED, ["HT-1", "甲公司", 85, "待签订", "分期付款"]])
    result = night(sheets(tmp_path / "in", entity="contract"))
    assert found(result) == [("sheets", "a.xlsx", "accepted", 1)]
    (row,) = result.accepted.to_dicts()
    assert (row["signed_on"], row["amount"], row["currency"]) == (None, Decimal("850000.00"), "CNY")


@pytest.mark.parametrize(
    ("header", "cell", "amount", "currency"),
    [
        ("合同金额(元)", 85, "85.00", "CNY"),
        ("合同金额（万元）", 85, "850000.00", "CNY"),
        ("合約金額(萬元)", "85", "850000.00", "CNY"),
        ("合同金额(万元)", "85万", "850000.00", "CNY"),
        ("合同金额(亿元)", 1.2, "120000000.00", "CNY"),
        ("合同金额(万美元)", 2, "20000.00", "USD"),
        ("Contract Value (USD k)", 2, "2000.00", "USD"),
        ("合同金额", 85, "85.00", "CNY"),
    ],
)
def test_unit_and_currency_follow_from_the_header(tmp_path, night, header, cell, amount, currency):
    rows = [["合同编号", "客户名称", header, "签订日期"], ["HT-1", "甲公司", cell, "2024-05-20"]]
    book(tmp_path / "in" / "a.xlsx", 合同=rows)
    (row,) = night(sheets(tmp_path / "in", entity="contract")).accepted.to_dicts()
    assert (row["amount"], row["currency"]) == (Decimal(amount), currency)


def test_the_header_of_a_configured_workbook_is_found_by_its_mapped_columns(tmp_path, night):
    rows = [["报表"], [], ["制表：王芳"], ["编号", "名称", "备注"], ["u1", "王芳", "x"], ["合计", 1, ""]]
    book(tmp_path / "in" / "a.xlsx", 用户=rows)
    columns = {"user_id": "编号", "name": "名称"}
    source = {"users": {"entity": "user", "path": f"{tmp_path}/in/*", "columns": columns, "ignore": ["备注"]}}
    result = night(source)
    (account,) = result.accounts
    assert (account.rows_in, account.rows_set_aside, account.file) == (1, 1, "a.xlsx")
    assert result.accepted.select("user_id", "_row").rows() == [("u1", 5)]


def test_every_sheet_with_the_mapped_columns_is_read_where_that_is_asked_for_and_others_are_told(tmp_path, night):
    header = ["编号", "名称"]
    book(
        tmp_path / "in" / "a.xlsx",
        一=[header, ["u1", "A"]],
        二=[header, ["u2", "B"]],
        说明=[["怎样填写", "请看"], ["a", "b"]],
    )
    source = {
        "users": {
            "entity": "user",
            "path": f"{tmp_path}/in/*",
            "sheet": "*",
            "columns": {"user_id": "编号", "name": "名称"},
        }
    }
    result = night(source)
    assert found(result) == [("users", "a.xlsx#一!A1", "accepted", 1), ("users", "a.xlsx#二!A1", "accepted", 1)]
    assert result.accepted["user_id"].to_list() == ["u1", "u2"]
    assert "说明" in result.accounts[0].notice_en
    assert result.accounts[1].notice_en is None


def test_a_missing_column_that_is_there_in_other_characters_is_pointed_at(tmp_path, night):
    book(tmp_path / "in" / "a.xlsx", 用户=[["編號", "名称"], ["u1", "A"]])
    source = {"users": {"entity": "user", "path": f"{tmp_path}/in/*", "columns": {"user_id": "编号", "name": "名称"}}}
    (account,) = night(source).accounts
    assert account.status == "refused"
    assert "Perhaps '編號' for '编号'" in account.message


def test_words_for_no_date_count_in_date_columns_of_templates_only(tmp_path, night):
    rows = [["客户名称", "当前阶段", "阶段开始时间", "预计完成时间", "风险点"]]
    rows += [["甲", "需求挖掘", "2024-05-01", word, "无"] for word in ("待定", "TBD", "-", "無", "N/A", "尽快")]
    book(tmp_path / "in" / "a.xlsx", 进度=[rows[0], *([f"{row[0]}{at}", *row[1:]] for at, row in enumerate(rows[1:]))])
    result = night(sheets(tmp_path / "in", entity="stage_progress"))
    assert result.accepted["expected_done_on"].to_list() == [None] * 5
    assert result.accepted["risks"].to_list() == ["无"] * 5
    assert result.rejected.select("value", "reason_code").rows() == [("尽快", "not_a_date")]


def test_a_template_stands_for_four_sources_and_states_what_it_cannot(tmp_path):
    sources = Sources.model_validate({"sources": {"book": {"template": True, "path": "a.xlsx"}}}).sources
    assert {name: (source.entity, source.landed_as) for name, source in sources.items()} == {
        f"book.{entity}": (entity, "book") for entity in TEMPLATES
    }
    with pytest.raises(ValueError, match="template: true is for"):
        Sources.model_validate({"sources": {"book": {"template": True, "entity": "user", "path": "a.xlsx"}}})


def test_a_column_that_no_template_has_is_a_fault_of_the_configuration(tmp_path):
    project = Path(__file__).parents[3] / "config"
    for file in project.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    entry = "sources: {book: {template: true, path: a.xlsx, columns: {amount: 金额, nonsense: x}}}"
    (tmp_path / "sources.yaml").write_text(entry, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {})
    assert len([line for line in str(refused.value).splitlines() if "nonsense" in line]) == 4
    assert "'amount' is not a column" not in str(refused.value)


def test_totals_notes_and_repeated_headers_of_a_text_file_are_set_aside_too(tmp_path, night):
    (tmp_path / "in").mkdir()
    header = "客户名称,联系人,开发阶段,首次接触时间"
    lines = [header, "甲,李,Won,2024-05-01", "合计,1,,", header, "乙,王,Lost,2024-05-02", "注：内部使用,,,", "丙,,Won,"]
    (tmp_path / "in" / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    result = night(sheets(tmp_path / "in", entity="customer_record"))
    (account,) = result.accounts
    assert (account.rows_in, account.rows_set_aside) == (3, 3)
    assert result.accepted.select("account_name", "_row").rows() == [("甲", 2), ("乙", 5), ("丙", 7)]
    assert "totals, kept apart as no records: 1" in account.notice_en


def test_a_workbook_of_blank_sheets_is_refused_and_not_missing(tmp_path, night):
    book(tmp_path / "in" / "a.xlsx", Sheet1=[])
    result = night(sheets(tmp_path / "in"))
    assert {(account.status, account.file) for account in result.accounts} == {("refused", "a.xlsx")}
    assert "blank sheets only" in result.accounts[0].message


def test_a_header_parted_by_another_mark_is_told_with_the_option_that_mends_it():
    what = recognise(["合同编号;客户名称;合同金额(万元)"])
    assert isinstance(what, Unrecognised)
    assert "set `csv: {delimiter: ';'}`" in what.message


def test_a_text_file_parted_otherwise_is_told_by_what(tmp_path, night):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("合同编号\t客户名称\t签订日期\nX1\t甲\t2024-05-20\n", encoding="utf-16")
    (account, *_) = night(sheets(tmp_path / "in")).accounts
    assert (account.status, account.rows_in) == ("refused", 1)
    assert r"parted by '\t': set `csv: {delimiter: '\t'}`" in account.message


def test_rows_of_nothing_are_told_apart_and_are_no_records(tmp_path, night):
    row = ["X1", "甲", 5, "2024-05-20", "全款"]
    book(tmp_path / "in" / "a.xlsx", 合同=[SIGNED, [" ", "", "\u3000"], row, ["\n"]])
    (tmp_path / "in" / "b.csv").write_text(f"{','.join(SIGNED)}\nX2,甲,6,2024-05-20,全款\n,,,,\n , ,,,\n")
    workbook, text, *_ = night(sheets(tmp_path / "in")).accounts
    assert [(one.rows_in, one.rows_accepted, one.rows_set_aside) for one in (workbook, text)] == [(1, 1, 2), (1, 1, 2)]
    assert "empty rows, kept apart: 2" in workbook.notice_en


def test_a_typed_contract_number_is_one_whatever_its_width_and_none_where_it_is_a_word(tmp_path, night):
    rows = [
        [number, "甲", 5, "2024-05-20"] for number in ("Ａ-００５", "A-005", "HT\u200b-1", "（2024）1号", "待定", "无")
    ]
    book(tmp_path / "in" / "a.xlsx", 合同=[SIGNED[:4], *rows])
    result = night(sheets(tmp_path / "in", entity="contract"))
    assert result.accepted["contract_id"].to_list() == ["A-005", "HT-1", "（2024）1号"]
    assert sorted(result.rejected.select("row", "value", "reason_code").rows()) == [
        (3, "A-005", "duplicate_key"),
        (6, "待定", "required"),
        (7, "无", "required"),
    ]


def test_a_share_is_no_amount_and_an_estimate_is_one_in_traditional_characters(tmp_path, night):
    amounts = ["85%", "８５％", "約80萬", "80萬元以內", "85"]
    book(
        tmp_path / "in" / "a.xlsx",
        合同=[SIGNED[:4], *([f"K{n}", "甲", a, "2024-05-20"] for n, a in enumerate(amounts))],
    )
    result = night(sheets(tmp_path / "in", entity="contract"))
    assert result.accepted["amount"].to_list() == [Decimal("850000.00")]
    reasons = ["not_a_number", "not_a_number", "estimate", "estimate"]
    assert result.rejected.sort("row")["reason_code"].to_list() == reasons


@pytest.mark.parametrize(
    ("note", "amount", "currency"),
    [
        ("单位：万元", "850000.00", "CNY"),
        ("（金額單位：萬元）", "850000.00", "CNY"),
        ("2024年合同台账(单位:万美元)", "850000.00", "USD"),
        ("Unit: RMB million", "85000000.00", "CNY"),
        ("编制单位：万元商贸有限公司", "85.00", "CNY"),
        ("单位：张", "85.00", "CNY"),
    ],
)
def test_the_unit_may_stand_above_the_table(tmp_path, night, note, amount, currency):
    rows = [["合同关键信息表"], ["", "", "", note], ["合同编号", "客户名称", "合同金额"], ["K1", "甲", 85]]
    book(tmp_path / "in" / "a.xlsx", 合同=rows)
    text = "\n".join(",".join(map(str, row)) for row in [*rows[:3], ["K2", "甲", 85]])
    (tmp_path / "in" / "b.csv").write_text(text, encoding="gb18030")
    found = night(sheets(tmp_path / "in", entity="contract"))
    assert found.accepted.select("contract_id", "amount", "currency").rows() == [
        ("K1", Decimal(amount), currency),
        ("K2", Decimal(amount), currency),
    ]
    assert ["names no unit" in (account.notice_en or "") for account in found.accounts] == [amount == "85.00"] * 2


def test_the_unit_of_the_header_stands_above_that_of_a_note_and_two_notes_are_none(tmp_path, night):
    row = ["甲", 85, "2024-05-20"]
    book(
        tmp_path / "in" / "a.xlsx",
        a=[["单位：万元"], ["合同编号", "客户名称", "合同金额(元)", "签订日期"], ["K1", *row]],
        b=[["单位：万元", "单位：元"], ["合同编号", "客户名称", "合同金额", "签订日期"], ["K2", *row]],
    )
    found = night(sheets(tmp_path / "in", entity="contract"))
    assert found.accepted["amount"].to_list() == [Decimal("85.00"), Decimal("85.00")]
