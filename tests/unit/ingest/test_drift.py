"""The drift report: what a person is told when an export is not what it was."""

from datetime import date

import polars as pl
import pytest

from flows.history.accounting import accounting_frame
from flows.ingest.accounting import FileAccount
from flows.ingest.column_kinds import ColumnKinds
from flows.ingest.drift import Seen, differences, unknown_values, with_drift
from flows.ingest.readers.batch import ROW

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
COLUMNS = {"编号": "text", "金额": "number", "日期": "date"}


def seen(night=TUESDAY, **changes) -> Seen:
    facts = {"file": "a.csv", "format": "csv", "dialect": "utf-8", "rows": 1000, "columns": COLUMNS, "unknown": {}}
    return Seen(night=night, **{**facts, **changes})


def told(max_change=0.3, **tonight) -> list[tuple[str, str]]:
    return [(notice.en, notice.zh) for notice in differences(seen(MONDAY), seen(**tonight), max_change=max_change)]


def test_the_same_file_is_no_news():
    assert told() == []


@pytest.mark.parametrize(
    ("columns", "en", "zh"),
    [
        (COLUMNS | {"备注": "text"}, "new column: '备注'", "新增的列：“备注”"),
        ({"编号": "text", "金额": "number"}, "column gone: '日期'", "缺少的列：“日期”"),
        (
            {"编号": "text", "合同金额": "number", "日期": "date"},
            "column '金额' is gone and '合同金额' stands where it stood: perhaps renamed",
            "列“金额”不见了，原位置上是“合同金额”：可能是改名",
        ),
        (COLUMNS | {"金额": "text"}, "column '金额' held numbers, now holds text", "列“金额”原为数字，现为文字"),
        (COLUMNS | {"金额": "empty"}, "column '金额' held numbers, now holds nothing", "列“金额”原为数字，现为空"),
    ],
)
def test_columns_that_came_went_or_hold_something_else(columns, en, zh):
    assert told(columns=columns) == [(en, zh)]


def test_a_gone_and_a_new_column_of_another_kind_are_not_taken_for_a_renamed_one():
    notices = told(columns={"编号": "text", "备注": "text", "日期": "date"})
    assert [en for en, _ in notices] == ["column gone: '金额'", "new column: '备注'"]


def test_two_renamed_columns_beside_each_other_are_told_as_two():
    notices = told(columns={"id": "text", "amount": "number", "日期": "date"})
    assert [en.partition(":")[2] for en, _ in notices] == [" perhaps renamed"] * 2


def test_a_column_that_was_empty_is_not_said_to_hold_something_else():
    before, tonight = seen(MONDAY, columns={"备注": "empty"}), seen(columns={"备注": "text"})
    assert list(differences(before, tonight, max_change=None)) == []


def test_of_a_file_without_records_the_rows_are_told_and_not_each_column():
    assert [en for en, _ in told(columns=dict.fromkeys(COLUMNS, "empty"), rows=0)] == [
        "0 rows, 1,000 on 2026-03-02 (-100%)"
    ]


def test_of_a_file_that_was_refused_by_its_header_only_the_header_is_compared():
    assert [en for en, _ in told(columns={"编号": "", "日期": ""})] == ["column gone: '金额'"]
    renamed = "column '金额' is gone and '合同金额' stands where it stood: perhaps renamed"
    assert [en for en, _ in told(columns={"编号": "", "合同金额": "", "日期": ""})] == [renamed]


def test_format_encoding_and_delimiter():
    assert told(format="xlsx", dialect=None) == [("format was csv, is now xlsx", "格式由 csv 变为 xlsx")]
    assert told(dialect="gb18030") == [("was utf-8, is now gb18030", "由 utf-8 变为 gb18030")]


@pytest.mark.parametrize(
    ("header", "delimiter"), [("编号;金额;日期", ";"), ("编号 金额 日期", " "), ("编号 | 金额 | 日期", "|")]
)
def test_a_header_read_as_one_column_tells_the_new_delimiter(header, delimiter):
    (notice,) = differences(seen(MONDAY), seen(columns={header: "text"}), max_change=None)
    assert notice.en == f"the columns are now separated by {delimiter!r}: all of them were read as one"
    assert notice.zh == f"各列现以“{delimiter}”分隔：整行被读成了一列"


@pytest.mark.parametrize(("rows", "is_told"), [(1300, False), (1301, True), (700, False), (699, True)])
def test_many_more_or_far_fewer_rows_are_told_from_the_limit_on(rows, is_told):
    assert bool(told(rows=rows)) == is_told


def test_the_number_of_rows_is_told_in_words_and_only_where_it_says_something():
    assert told(rows=1500) == [("1,500 rows, 1,000 on 2026-03-02 (+50%)", "1,500 行，2026-03-02 为 1,000 行（+50%）")]
    assert told(max_change=None, rows=5000) == []
    assert list(differences(seen(MONDAY, rows=10), seen(rows=90), max_change=0.3)) == []


def test_values_that_no_list_knows_are_told_once():
    before = seen(MONDAY, unknown={"阶段": {"旧": 3}})
    tonight = seen(unknown={"阶段": {"旧": 3, "试点": 12, "POC": 1}})
    (notice,) = differences(before, tonight, max_change=0.3)
    assert notice.en == "values of '阶段' that no list knows: '试点' (12 rows), 'POC' (1 row)"
    assert notice.zh == "列“阶段”中有未知的值：“试点”（12 行）、“POC”（1 行）"


def account(file: str, **facts) -> FileAccount:
    rows = facts.pop("rows", 1000)
    return FileAccount(
        "crm", file, "opportunity", "csv", "0", "accepted", rows_in=rows, rows_accepted=rows, columns=COLUMNS, **facts
    )


def drift(tonight: list[FileAccount], *before: tuple[date, list[FileAccount]]) -> list[str | None]:
    recorded = pl.concat(accounting_frame(night, files) for night, files in before)
    described = with_drift(tonight, recorded, {}, {}, as_of=TUESDAY, full={"crm"}, max_change=0.3)
    return [file.drift_en for file in described]


def test_a_file_is_compared_with_the_one_it_follows():
    before = (MONDAY, [account("2026-03-02/deals.csv"), account("2026-03-02/leads.csv", rows=10_000)])
    assert drift([account("2026-03-03/deals.csv"), account("2026-03-03/leads.csv", rows=10_000)], before) == [
        None,
        None,
    ]
    assert drift([account("2026-03-03/leads.csv")], before) == ["1,000 rows, 10,000 on 2026-03-02 (-90%)"]
    assert drift([account("other.csv", rows=9)], before) == [None]
    assert drift([account("renamed.csv", rows=9)], (MONDAY, [account("deals.csv")])) == [
        "9 rows, 1,000 on 2026-03-02 (-99%)"
    ]


def test_a_refused_night_file_is_nothing_to_compare_with():
    refused = FileAccount("crm", "deals.csv", "opportunity", "csv", "0", "refused", "shrunk", columns={"x": "text"})
    before = [(date(2026, 3, 1), [account("deals.csv")]), (MONDAY, [refused])]
    assert drift([account("deals.csv")], *before) == [None]


def test_unknown_values_are_counted_by_column():
    rejected = pl.DataFrame(
        {
            "source": "crm",
            "file": "a.csv",
            "column": ["阶段", "阶段", "阶段", "金额"],
            "value": ["POC", "试点", "试点", "x"],
            "reason_code": ["unknown_value"] * 3 + ["not_a_number"],
        }
    )
    assert unknown_values(rejected.lazy()) == {("crm", "a.csv"): {"阶段": {"试点": 2, "POC": 1}}}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["85万", "￥1,200.50", "-3", "12%", "(1,000)", "1200.50"], "number"),
        (["2024-05-20", "2024/5/2 10:30", "2024年5月", "2024年5月20日", "20.05.2024"], "date"),
        (["是", "否", "TRUE"], "boolean"),
        (["待签订", "2024-05-20"], "text"),
        (["", " ", None], "empty"),
        ([1.5, None], "number"),
        ([date(2024, 1, 1)], "date"),
        ([True, None], "boolean"),
        ([[1], None], "text"),
        (["1"] * 19 + ["待定"], "number"),
        (["1"] * 8 + ["待定"] * 2, "text"),
    ],
)
def test_the_kind_of_a_column_is_what_nearly_all_its_values_are(values, kind):
    kinds = ColumnKinds()
    kinds.see(pl.DataFrame({"a": values, ROW: range(len(values))}, strict=False))
    assert kinds.of(["a", "never seen"]) == {"a": kind, "never seen": "empty"}


def test_a_sample_is_taken_from_all_over_the_file():
    kinds = ColumnKinds()
    for _ in range(3):
        kinds.see(pl.DataFrame({"a": ["1"] * 900 + ["x"] * 100, ROW: range(1000)}))
    kinds.see(pl.DataFrame({"a": ["x"] * 1000, ROW: range(1000)}))
    assert kinds.of(["a"]) == {"a": "text"}
