"""Sheets as people keep them: which tables are found, what their records are, and what is set aside."""

import struct
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.sources import Source
from flows.ingest.readers import open_table
from flows.ingest.readers.batch import FileRefused
from flows.ingest.readers.biff import _workbook_stream
from flows.ingest.readers.workbook import find_tables, survey
from tests.unit.ingest.readers.sheets import Read, known, read_all, write_sheets

CUSTOMERS = known("客户名称", "联系人", "电话", "金额", "签订日期")


def one(path: Path, headers: frozenset[str] = CUSTOMERS, **options) -> Read:
    tables = read_all(path, headers, **options)
    assert len(tables) == 1
    return tables[0][1]


def test_a_sheet_keeps_typed_cells_and_the_numbers_a_person_sees(tmp_path):
    rows = [
        [None, "销售合同台账"],
        [],
        [None, "编号", "签订日期", "金额", "占比"],
        [None, 1001, datetime(2024, 3, 31), 1.005, 0.35],
        [],
        [None, "A-7", "待签订", 2, 1],
    ]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows})
    (place,) = find_tables(path, sheet=None, known=known("编号", "金额"))
    assert (place.sheet, place.cell, place.header_row, place.header_rows) == ("表", "B3", 3, 1)
    assert (place.first_column, place.last_column, place.last_row) == (2, 5, 6)
    assert Read(path, place).records == {
        4: {"编号": "1001", "签订日期": "2024-03-31", "金额": 1.005, "占比": 0.35},
        6: {"编号": "A-7", "签订日期": "待签订", "金额": 2.0, "占比": 1.0},
    }


@pytest.mark.parametrize("system", [False, True])
def test_dates_are_those_a_person_sees_in_both_date_systems(tmp_path, system):
    rows = [["客户名称", "签订日期"], ["甲", date(2024, 5, 20)], ["乙", date(1999, 12, 31)]]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows}, date_1904=system)
    (place,) = find_tables(path, sheet=None, known=CUSTOMERS)
    assert place.date_1904 is system
    assert Read(path, place).column("签订日期") == {2: datetime(2024, 5, 20), 3: datetime(1999, 12, 31)}


def test_formats_of_money_and_percent_stay_numbers(tmp_path):
    path = tmp_path / "a.xlsx"
    formats = [
        "0.00%",
        '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ',
        "[$¥-804]#,##0.00",
        '#,##0.00 "USD"',
        "[Red]0",
    ]
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["客户名称", "金额"])
        for row, form in enumerate(formats, start=1):
            page.write(row, 0, form)
            page.write(row, 1, 0.125, book.add_format({"num_format": form}))
    assert set(one(path).column("金额").values()) == {0.125}


def test_long_numbers_never_look_whole(tmp_path):
    path = write_sheets(tmp_path / "a.xlsx", {"表": [["客户名称", "电话"], ["甲", 123456789012345678], ["乙", "12"]]})
    assert one(path).column("电话") == {2: "1.234567890123457e+17", 3: "12"}


def test_merged_headers_in_two_rows_are_one_header(tmp_path):
    rows = [
        ["客户信息跟踪表"],
        ["客户名称", "联系方式", None, "计划", None, "实际", None],
        [None, "联系人", "电话", "金额", "日期", "金额", "日期"],
        ["甲公司", "张三", "138", 1, date(2024, 1, 1), 2, date(2024, 2, 1)],
    ]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows}, ["A1:G1", "A2:A3", "B2:C2", "D2:E2", "F2:G2"])
    ((place, read),) = read_all(path, CUSTOMERS)
    assert (place.header_row, place.header_rows) == (2, 2)
    # 金额 stands under two parents, so it needs their names; 联系人 is known and alone.
    assert place.columns == ("客户名称", "联系人", "电话", "计划/金额", "计划/日期", "实际/金额", "实际/日期")
    assert list(read.records) == [4]
    assert not read.set_aside


def test_a_header_in_two_rows_is_told_without_merged_cells_too(tmp_path):
    rows = [["客户名称", "联络", None, "金额"], [None, "联系人", "电话", None], ["甲", "张三", "138", 5]]
    ((place, read),) = read_all(write_sheets(tmp_path / "a.xlsx", {"表": rows}), CUSTOMERS)
    assert place.columns == ("客户名称", "联系人", "电话", "金额")
    assert list(read.records) == [3]


def test_merged_cells_are_filled_and_rows_blank_beneath_them_are_none(tmp_path):
    rows = [
        ["客户名称", "联系人", "电话", "金额"],
        ["甲公司", "张三", "1", 10],
        [None, "李四", "2", None],
        [None, None, None, None],
        ["乙公司", "待定", None, 30],
    ]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows}, ["A2:A4", "D2:D3", "B5:C5"])
    assert one(path).records == {
        2: {"客户名称": "甲公司", "联系人": "张三", "电话": "1", "金额": 10},
        3: {"客户名称": "甲公司", "联系人": "李四", "电话": "2", "金额": 10},
        5: {"客户名称": "乙公司", "联系人": "待定", "电话": "待定", "金额": 30},
    }


def test_totals_are_set_aside_and_companies_named_like_them_are_not(tmp_path):
    rows = [
        ["客户名称", "联系人", "电话", "金额"],
        ["合计科技", "张三", "1", 10],
        ["总计（上海）有限公司", None, None, 20],
        ["小计", None, None, 30],
        ["Total", "Jean", "33", 5],
        ["华东区小计", None, None, 35],
        ["East Total", None, None, "1,235.00"],
        ["合  计", None, None, None],
        ["合计（大写）：", "壹佰万元整", None, None],
        ["本页合计：", None, None, "￥85万元"],
        [None, "Grand Total", None, 35.5],
        ["合计", date(2024, 1, 1), None, 7],
        ["汇总", "3家", None, 7],
    ]  # fmt: skip
    read = one(write_sheets(tmp_path / "a.xlsx", {"表": rows}))
    assert list(read.records) == [2, 3, 5, 12]
    assert set(read.reasons().values()) == {"total_row"}
    assert read.set_aside[6] == ("total_row", {"客户名称": "华东区小计", "金额": "35"})


def test_repeated_headers_and_notes_are_set_aside(tmp_path):
    rows = [
        ["客户名称", "联系人", "金额"],
        ["甲", "张三", 1],
        ["客户名称 ", "联系人", "金额"],
        ["乙", None, None],
        ["丙", "李四", 2],
        ["丁", None, None],
        [],
        ["以上数据由销售部提供"],
        ["制表人：王五", None, "日期：2024-03-31"],
        ["备注：", "含税"],
    ]
    read = one(write_sheets(tmp_path / "a.xlsx", {"表": rows}))
    # 乙 and 丁 are records that lack the rest: a person has to see them.
    assert list(read.records) == [2, 4, 5, 6]
    assert read.reasons() == {3: "repeated_header", 8: "note_row", 9: "note_row", 10: "note_row"}


def test_a_heading_merged_over_the_table_is_no_record(tmp_path):
    rows = [["客户名称", "联系人", "金额"], ["一、华东"], ["甲", "张三", 1], ["二、华南"], ["乙", "李四", 2]]
    read = one(write_sheets(tmp_path / "a.xlsx", {"表": rows}, ["A2:C2", "A4:C4"]))
    assert list(read.records) == [3, 5]
    assert read.reasons() == {2: "note_row", 4: "note_row"}


def test_tables_under_each_other_and_side_by_side_are_told_apart(tmp_path):
    rows = [
        ["客户名称", "联系人", None, "客户名称", "金额"],
        ["甲", "张三", None, "子", 1],
        ["乙", "李四", None, None, None],
        [None, None, None, "丑", 2],
        [],
        ["合同台账"],
        ["合同编号", "签订日期"],
        ["HT-1", date(2024, 1, 1)],
    ]
    headers = known("客户名称", "联系人", "金额", "合同编号", "签订日期")
    tables = read_all(write_sheets(tmp_path / "a.xlsx", {"表": rows}), headers)
    assert [place.cell for place, _ in tables] == ["A1", "D1", "A7"]
    assert [list(read.records) for _, read in tables] == [[2, 3], [2, 4], [8]]
    assert tables[0][1].reasons() == {6: "note_row"}
    assert tables[1][1].column("客户名称") == {2: "子", 4: "丑"}


def test_one_mapped_table_with_a_blank_column_inside_stays_one(tmp_path):
    rows = [["客户名称", "联系人", None, "金额", "签订日期"], ["甲", "张三", "留意", 1, date(2024, 1, 1)]]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows})
    ((place, _),) = read_all(path, known("客户名称", "联系人", "金额", "签订日期"))
    assert place.columns == ("客户名称", "联系人", "(column 3)", "金额", "签订日期")


def test_the_same_header_again_goes_on_with_the_table(tmp_path):
    rows = [["客户名称", "金额"], ["甲", 1], [], ["客户名称", "金额"], ["乙", 2]]
    read = one(write_sheets(tmp_path / "a.xlsx", {"表": rows}))
    assert list(read.records) == [2, 5]
    assert read.reasons() == {4: "repeated_header"}


def test_a_record_that_holds_the_name_of_a_column_is_a_record(tmp_path):
    rows = [["客户", "名称", "地区", "来源"], ["客户", "甲", "华东", "展会"], ["客户"], ["伙伴", "乙", "华南", "官网"]]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows})
    for headers in (known("客户"), known("客户", "地区"), known("客户", "名称", "地区")):
        assert list(one(path, headers).records) == [2, 3, 4]


def test_sheets_are_chosen_by_name_by_order_or_all(tmp_path):
    table = [["客户名称", "金额"], ["甲", 1]]
    path = write_sheets(tmp_path / "a.xlsx", {"说明": [["请填写"]], "一月": table, "二月": table})
    assert [place.sheet for place in find_tables(path, sheet="*", known=CUSTOMERS)] == ["一月", "二月"]
    assert [place.sheet for place in find_tables(path, sheet="二月", known=CUSTOMERS)] == ["二月"]
    assert find_tables(path, sheet=None, known=CUSTOMERS) == []
    with pytest.raises(FileRefused, match="expected|Expected the sheet '三月', found only '说明', '一月', '二月'"):
        find_tables(path, sheet="三月", known=CUSTOMERS)
    with pytest.raises(FileRefused, match="header in row 9"):
        find_tables(path, sheet="一月", known=CUSTOMERS, header_row=9)


def test_data_under_no_known_header_is_named(tmp_path):
    rows = [["商品", "库存", "仓库"], ["笔", 3, "北"], ["纸", 4, "南"]]
    path = write_sheets(tmp_path / "a.xlsx", {"一": [["客户名称", "金额"], ["甲", 1]], "二": rows})
    found = survey(path, sheet="*", known=CUSTOMERS)
    assert [place.sheet for place in found.tables] == ["一"]
    assert [(left.sheet, left.first_row, left.rows, left.cells) for left in found.unrecognised] == [
        ("二", 1, 3, ("商品", "库存", "仓库"))
    ]


def test_an_unknown_table_above_a_known_one_is_named(tmp_path):
    rows = [["商品", "库存", "仓库"], *([["笔", 3, "北"]] * 4), [], ["客户名称", "联系人", "金额"], ["甲", "乙", 1]]
    found = survey(write_sheets(tmp_path / "a.xlsx", {"一": rows}), sheet="*", known=CUSTOMERS)
    assert [place.cell for place in found.tables] == ["A7"]
    assert [(left.first_row, left.rows) for left in found.unrecognised] == [(1, 5)]


def hidden_sheet(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        for row, cells in enumerate([["客户名称", "电话", "金额"], ["甲", "1", 1], ["乙", "2", 2], ["丙", "3", 3]]):
            page.write_row(row, 0, cells)
        page.set_row(2, options={"hidden": True})
        page.set_column(1, 1, options={"hidden": True})
    return path


def test_hidden_rows_are_read_unless_they_are_to_be_set_aside(tmp_path):
    path = hidden_sheet(tmp_path / "a.xlsx")
    assert one(path).column("电话") == {2: "1", 3: "2", 4: "3"}
    read = one(path, hidden="set_aside")
    assert read.records == {2: {"客户名称": "甲", "金额": 1}, 4: {"客户名称": "丙", "金额": 3}}
    assert read.set_aside == {3: ("hidden_row", {"客户名称": "乙", "(column 2)": "2", "金额": "2"})}


def test_formulas_without_a_value_and_errors_are_marked(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    for row in (["客户名称", "金额"], ["甲", "=SUM(1,2)"], ["乙", 5], ["合计", "=SUM(B2:B3)"], [None, "=B3"]):
        page.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    read = one(path)
    assert list(read.records) == [2, 3, 5]
    assert read.cell_faults == [
        (2, "金额", "formula_not_computed", "=SUM(1,2)"),
        (5, "金额", "formula_not_computed", "=B3"),
    ]
    assert read.set_aside == {4: ("total_row", {"客户名称": "合计", "金额": "=SUM(B2:B3)"})}


def test_values_of_formulas_count_and_zeros_nobody_computed_do_not(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["客户名称", "金额", "电话"])
        page.write_row(1, 0, ["甲"])
        page.write_formula(1, 1, "=1+1", None, 2)
        page.write_formula(1, 2, '="0" & "1"', None, "01")
        page.write_row(2, 0, ["乙"])
        page.write_formula(2, 1, "=1+1")
        page.write_formula(2, 2, "=VLOOKUP(1,A1:B2,2)", None, "#N/A")
    read = one(path)
    assert read.column("金额") == {2: 2, 3: 0}
    assert read.column("电话") == {2: "01", 3: None}
    assert read.cell_faults == [
        (3, "金额", "formula_not_computed", "=1+1"),
        (3, "电话", "cell_error", "#N/A"),
    ]


def test_old_workbooks_are_read_by_their_content_whatever_their_name(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("旧表")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for column, name in enumerate(["客户名称", "签订日期", "金额"]):
        page.write(1, column, name)
    page.write_merge(2, 3, 0, 0, "甲")
    for row in (2, 3):
        page.write(row, 1, date(2024, 5, 20), day)
        page.write(row, 2, 0.5, xlwt.easyxf(num_format_str="0%"))
    path = tmp_path / "导出.xlsx"
    book.save(str(path))
    row = {"客户名称": "甲", "签订日期": datetime(2024, 5, 20), "金额": 0.5}
    assert one(path).records == {3: row, 4: row}


def test_errors_and_hidden_rows_of_old_workbooks_are_told(tmp_path):
    book = xlwt.Workbook()
    book.dates_1904 = True
    book.add_sheet("说明")
    page = book.add_sheet("旧表")
    for column, name in enumerate(["客户名称", "电话", "金额"]):
        page.write(0, column, name)
    for row in range(1, 200):
        page.write(row, 0, f"客户{row}")
        page.write(row, 1, "138")
        if row == 5:
            page.row(row).set_cell_error(2, 0x17)
        else:
            page.write(row, 2, row)
    page.row(7).hidden = True
    page.col(1).hidden = True
    path = tmp_path / "a.xls"
    book.save(str(path))
    ((place, read),) = read_all(path, CUSTOMERS, hidden="set_aside")
    assert place.date_1904
    assert place.columns == ("客户名称", "金额")
    assert read.cell_faults == [(6, "金额", "cell_error", "#REF!")]
    assert read.set_aside == {8: ("hidden_row", {"客户名称": "客户7", "(column 2)": "138", "金额": "7"})}
    assert sorted([*read.records, *read.set_aside]) == list(range(2, 201))


def in_small_sectors(content: bytes) -> bytes:
    """The same xls with its stream in the sectors of 64 bytes that a compound file has for what is below 4096."""
    stream = _workbook_stream(content).rstrip(b"\0") + b"\0\0\0"
    assert len(stream) < 4096
    count = -(-len(stream) // 64)
    stored = stream.ljust(-(-len(stream) // 512) * 512, b"\0")
    last, free, own = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        return struct.pack("<64sHBB3I36x3I", text, len(text), kind, 1, free, free, child, start, size, 0)

    sectors = len(stored) // 512
    table = [own, last, last, *range(4, 3 + sectors), last]
    header = struct.pack(
        "<8s16x5H10x8I", content[:8], 0x3E, 3, 0xFFFE, 9, 6, 1, 1, 0, 4096, 2, 1, last, 0
    ) + struct.pack("<109I", 0, *[free] * 108)
    small = [*range(1, count), last]
    return b"".join(
        [
            header,
            struct.pack("<128I", *table, *[free] * (128 - len(table))),
            (entry("Root Entry", 5, 1, 3, len(stored)) + entry("Workbook", 2, free, 0, len(stream))).ljust(512, b"\0"),
            struct.pack("<128I", *small, *[free] * (128 - count)),
            stored,
        ]
    )


def test_a_small_old_workbook_is_read_from_its_small_sectors(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("小")
    page.write(0, 0, "客户名称")
    page.write(1, 0, "甲")
    page.row(2).set_cell_error(0, 0x2A)
    path = tmp_path / "a.xls"
    book.save(str(path))
    path.write_bytes(in_small_sectors(path.read_bytes()))
    read = one(path, known("客户名称"))
    assert read.column("客户名称") == {2: "甲", 3: None}
    assert read.cell_faults == [(3, "客户名称", "cell_error", "#N/A")]


def test_a_source_opens_the_first_table_that_holds_its_columns(tmp_path):
    rows = [["报表"], [], ["客户", "金额（万元）"], ["甲", 1]]
    path = write_sheets(tmp_path / "a.xlsx", {"表": rows})
    source = Source.model_validate(
        {"name": "s", "entity": "account", "path": "x", "columns": {"name": "客户", "amount": "金额（万元）"}}
    )
    table = open_table(path, "xlsx", source)
    assert (table.columns, table.sheet, table.count()) == (("客户", "金额(万元)"), "表", 1)
    other = source.model_copy(update={"columns": {"name": source.columns["name"].model_copy(update={"from_": "公司"})}})
    # The refusal that follows can then say which columns there are.
    assert open_table(path, "xlsx", other).columns == ("客户", "金额(万元)")


def test_batches_are_bounded_and_keep_their_faults(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["客户名称", "金额"])
    for number in range(25):
        page.append([f"客户{number}", "=1" if number % 10 == 0 else number])
    path = tmp_path / "a.xlsx"
    book.save(path)
    (place,) = find_tables(path, sheet=None, known=CUSTOMERS)
    read = Read(path, place, batch_rows=10)
    assert list(read.records) == list(range(2, 27))
    assert [fault[0] for fault in read.cell_faults] == [2, 12, 22]


CELL = st.one_of(
    st.none(),
    st.sampled_from(["客户名称", "金额", "合计", "小计", "备注：无", "张三", "甲公司", "", " ", "Total"]),
    st.integers(-5, 5),
    st.just(date(2024, 1, 1)),
)


@settings(max_examples=40, deadline=timedelta(seconds=20))
@given(
    body=st.lists(st.lists(CELL, max_size=5), max_size=14),
    merges=st.lists(st.tuples(st.integers(4, 16), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), max_size=3),
)
def test_every_row_that_is_not_blank_is_a_record_or_set_aside(tmp_path_factory, body, merges):
    """An independent reader counts the rows of the sheet."""
    path = tmp_path_factory.mktemp("sheet") / "a.xlsx"
    book = openpyxl.Workbook()
    page = book.active
    for row in [["客户名称", "联系人", None, "金额"], *body]:
        page.append(row)
    taken: set[tuple[int, int]] = set()
    for top, left, down, right in merges:
        cells = {(r, c) for r in range(top, top + down + 1) for c in range(left, left + right + 1)}
        if not cells & taken and len(cells) > 1:
            taken |= cells
            page.merge_cells(start_row=top, start_column=left + 1, end_row=top + down, end_column=left + right + 1)
    book.save(path)
    written = openpyxl.load_workbook(path).active
    expected = {row[0].row for row in written.iter_rows(min_row=2) if any(cell.value not in (None, "") for cell in row)}
    tables = read_all(path, CUSTOMERS, sheet=None)
    headers = {row for place, _ in tables for row in range(place.header_row, place.header_row + place.header_rows)}
    found = Counter(row for _, read in tables for row in (*read.records, *read.set_aside))
    assert set(found) == expected - headers
    assert all(count == 1 for count in found.values())
