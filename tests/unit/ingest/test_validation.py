"""Records in = accepted + quarantined, whatever a file holds; and each quarantined cell says why."""

import csv
import json
import random
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import ConfigError
from flows.ingest.reasons import REASONS
from flows.ingest.rejected import SCHEMA
from schemas.registry import ENTITIES
from tests.unit.ingest.conftest import AS_OF, run_night

HEADER = ["Opportunity ID", "Owner", "Stage", "Amount", "Created", "Notes"]
COLUMNS = {
    "opportunity_id": "Opportunity ID",
    "owner_id": "Owner",
    "stage": {"from": "Stage", "map": "stages"},
    "amount": {"from": "Amount", "unit": "万元"},
    "currency": {"value": "CNY"},
    "created_at": "Created",
}


def crm(folder: Path, **options: object) -> dict:
    return {"crm": {"entity": "opportunity", "path": f"{folder}/*", "columns": COLUMNS, "ignore": ["Notes"], **options}}


def write_csv(path: Path, records: list[list[str]], header: list[str] = HEADER) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *records])


def good(number: int) -> list[str]:
    return [f"O{number}", "u1", "Qualify", "1.005", "2024-03-01 09:00:00", 'a "note",\nof two lines']


CORRUPTIONS = {
    "no id": lambda row: ["", *row[1:]],
    "bad date": lambda row: [*row[:4], "31/02/2024", row[5]],
    "bad amount": lambda row: [*row[:3], "about 5", *row[4:]],
    "too fine": lambda row: [*row[:3], "1.0000001", *row[4:]],
    "negative": lambda row: [*row[:3], "-1", *row[4:]],
    "unknown stage": lambda row: [*row[:2], "Dreaming", *row[3:]],
    "long ago": lambda row: [*row[:4], "1204-03-01 09:00:00", row[5]],
    "short": lambda row: row[:3],
    "long": lambda row: [*row, "x"],
    "many": lambda row: ["", row[1], "Dreaming", "about 5", "never", ""],
}


@given(
    count=st.integers(0, 40),
    damage=st.lists(st.tuples(st.integers(0, 39), st.sampled_from(sorted(CORRUPTIONS))), max_size=12),
    repeated=st.lists(st.integers(0, 39), max_size=3),
    seed=st.integers(0, 1000),
)
def test_every_record_is_accepted_or_quarantined(tmp_path_factory, count, damage, repeated, seed):
    folder = tmp_path_factory.mktemp("crm")
    records = [good(number) for number in range(count)]
    damaged = {at for at, _ in damage if at < count}
    for at, kind in damage:
        if at < count:
            records[at] = CORRUPTIONS[kind](good(at))
    copies = [at for at in repeated if at < count and at not in damaged]
    records += [good(at) for at in copies]
    random.Random(seed).shuffle(records)
    (folder / "in").mkdir()
    write_csv(folder / "in" / "opportunities.csv", records)
    with (folder / "in" / "opportunities.csv").open(encoding="utf-8", newline="") as stream:
        counted = sum(1 for record in csv.reader(stream) if record) - 1

    night = run_night(folder, crm(folder / "in"))

    (account,) = night.accounts
    assert account.rows_in == counted
    assert account.rows_accepted == count - len(damaged) == night.accepted.height
    assert account.rows_quarantined == len(damaged) + len(copies) == night.rejected["row"].n_unique()
    assert account.rows_in == account.rows_accepted + account.rows_quarantined
    assert set(night.accepted["_row"]).isdisjoint(night.rejected["row"])
    assert set(night.accepted["_row"]) | set(night.rejected["row"]) == set(range(2, counted + 2))


def test_accepted_rows_have_the_schema_and_exact_typed_values(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [good(1)])
    result = night(crm(tmp_path / "in"))
    expected = {
        **ENTITIES["opportunity"].dtypes(),
        "_source": pl.String,
        "_file": pl.String,
        "_observed_on": pl.Date,
        "_row": pl.Int64,
    }
    assert dict(result.accepted.schema) == expected
    row = result.accepted.row(0, named=True)
    assert (row["stage"], row["amount"], row["currency"]) == ("qualification", Decimal("10050.00"), "CNY")
    assert (row["created_at"], row["created_on"]) == (datetime(2024, 3, 1, 1), date(2024, 3, 1))
    assert (row["_source"], row["_file"], row["_row"]) == ("crm", "a.csv", 2)
    assert result.rejected.schema == SCHEMA


def test_a_quarantined_cell_keeps_its_place_value_reason_key_and_row(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [good(1), CORRUPTIONS["bad date"](good(2)), CORRUPTIONS["many"](good(3))])
    rejected = night(crm(tmp_path / "in")).rejected
    assert rejected.select("row", "column", "value", "reason_code").rows() == [
        (3, "Created", "31/02/2024", "ambiguous_date"),
        (4, "Stage", "Dreaming", "unknown_value"),
        (4, "Amount", "about 5", "estimate"),
        (4, "Created", "never", "not_a_moment"),
        (4, "Opportunity ID", None, "required"),
    ]
    first = rejected.row(0, named=True)
    assert (first["as_of_date"], first["source"], first["entity"], first["file"]) == (
        AS_OF,
        "crm",
        "opportunity",
        "a.csv",
    )
    assert first["reason_en"] == REASONS["ambiguous_date"].en
    assert first["reason_zh"] == REASONS["ambiguous_date"].zh
    assert json.loads(first["key"]) == {"opportunity_id": "O2"}
    assert json.loads(first["raw"]) == dict(zip(HEADER, CORRUPTIONS["bad date"](good(2)), strict=True))
    assert rejected["key"].to_list()[1:] == [None] * 4


def test_a_ragged_record_still_tells_its_key(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [good(1), CORRUPTIONS["short"](good(2)), CORRUPTIONS["long"](good(3))])
    rejected = night(crm(tmp_path / "in")).rejected
    assert rejected.select("row", "reason_code").rows() == [(3, "ragged_row"), (4, "ragged_row")]
    assert [json.loads(key)["opportunity_id"] for key in rejected["key"]] == ["O2", "O3"]


def test_keys_of_several_parts_are_told_with_iso_dates(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "h.csv", [["O1", "2024-03-01 09:00:00", "x"]], ["id", "at", "amount"])
    columns = {"opportunity_id": "id", "changed_at": "at", "amount": "amount"}
    source = {"history": {"entity": "opportunity_history", "path": f"{tmp_path}/in/*", "columns": columns}}
    (key,) = night(source).rejected["key"]
    assert json.loads(key) == {"opportunity_id": "O1", "changed_at": "2024-03-01 01:00:00.000000", "history_id": ""}


@pytest.mark.parametrize(("mode", "told"), [("full", True), ("delta", False)])
def test_an_export_of_no_records_is_told_unless_it_holds_only_changes(tmp_path, night, mode, told):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [])
    (account,) = night(crm(tmp_path / "in", mode=mode)).accounts
    assert (account.status, account.rows_in) == ("accepted", 0)
    assert ("no records" in (account.notice_en or ""), "没有任何记录" in (account.notice_zh or "")) == (told, told)


def test_columns_nobody_mapped_are_reported_and_ignored_ones_are_not(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [[*good(1), "new", ""]], [*HEADER, "New field", ""])
    (account,) = night(crm(tmp_path / "in")).accounts
    assert account.unknown_columns == ("New field",)


def test_a_file_without_a_mapped_column_is_refused_counted_and_the_night_goes_on(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [good(1)[:4]] * 3, HEADER[:4])
    write_csv(tmp_path / "in" / "b.csv", [good(1)])
    result = night(crm(tmp_path / "in"))
    refused, accepted = result.accounts
    assert (refused.status, refused.rows_in, refused.rows_accepted, refused.rows_quarantined) == ("refused", 3, 0, 3)
    assert "'Created'" in refused.message
    assert "a.csv" in refused.message
    assert (accepted.status, accepted.rows_accepted) == ("accepted", 1)
    assert result.rejected.select("file", "row", "reason_code").rows() == [("a.csv", None, "file_refused")]


def test_a_mapped_column_that_occurs_twice_refuses_the_file(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [[*good(1), "2"]], [*HEADER, "Amount"])
    (account,) = night(crm(tmp_path / "in")).accounts
    assert account.status == "refused"
    assert "'Amount' more than once" in account.message


def test_a_file_that_breaks_off_leaves_nothing_accepted(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [good(number) for number in range(3)])
    whole = (tmp_path / "in" / "a.csv").read_text()
    (tmp_path / "in" / "a.csv").write_text(whole.rstrip()[:-1])
    result = night(crm(tmp_path / "in"))
    assert [(account.status, account.rows_in) for account in result.accounts] == [("refused", 0)]
    assert result.accepted.is_empty()


def test_a_source_without_a_file_is_missing_and_an_export_without_rows_is_not(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [])
    other = {"other": {"entity": "opportunity", "path": f"{tmp_path}/none*.csv", "columns": COLUMNS}}
    empty, missing = night({**crm(tmp_path / "in"), **other}).accounts
    assert (empty.status, empty.rows_in, empty.rows_accepted) == ("accepted", 0, 0)
    assert (missing.source, missing.status, missing.rows_in) == ("other", "missing", 0)
    assert "none*.csv" in missing.message


def test_the_same_rows_are_accepted_from_every_format(tmp_path, night):
    folder = tmp_path / "in"
    folder.mkdir()
    records = [dict(zip(HEADER, good(number), strict=True)) for number in range(3)]
    kinds = ("csv", "jsonl", "parquet", "xlsx")
    for at, kind in enumerate(kinds):
        for record, number in zip(records, range(3), strict=True):
            record["Opportunity ID"] = f"O{at}{number}"
        frame = pl.DataFrame(records)
        typed = frame.with_columns(pl.col("Amount").cast(pl.Float64), pl.col("Created").str.to_datetime())
        if kind == "csv":
            frame.write_csv(folder / "a.csv")
        elif kind == "jsonl":
            frame.write_ndjson(folder / "a.jsonl")
        elif kind == "parquet":
            typed.write_parquet(folder / "a.parquet")
        else:
            with xlsxwriter.Workbook(folder / "a.xlsx") as book:
                page = book.add_worksheet()
                page.write_row(0, 0, HEADER)
                for row, values in enumerate(typed.rows(), start=1):
                    page.write_row(row, 0, values)
                    page.write_datetime(row, 4, values[4], book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}))
    result = night(crm(folder))
    assert [(account.format, account.rows_accepted) for account in result.accounts] == [(kind, 3) for kind in kinds]
    by_kind = result.accepted.drop("opportunity_id", "_row", "_file").unique()
    assert by_kind.height == 1
    assert by_kind["amount"].to_list() == [Decimal("10050.00")]


def test_a_date_column_with_words_in_it_quarantines_the_words_only(tmp_path, night):
    (tmp_path / "in").mkdir()
    with xlsxwriter.Workbook(tmp_path / "in" / "合同.xlsx") as book:
        page = book.add_worksheet("合同关键信息表")
        page.write_row(0, 0, ["合同编号", "签订日期"])
        page.write_row(1, 0, ["HT-1", ""])
        page.write_datetime(1, 1, datetime(2024, 3, 5), book.add_format({"num_format": "yyyy/m/d"}))
        page.write_row(2, 0, ["HT-2", "待签订"])
    columns = {"contract_id": "合同编号", "signed_on": {"from": "签订日期", "formats": ["%Y/%m/%d"]}}
    source = {
        "合同": {"entity": "contract", "path": f"{tmp_path}/in/*.xlsx", "sheet": "合同关键信息表", "columns": columns}
    }
    result = night(source)
    assert result.accepted.select("contract_id", "signed_on").rows() == [("HT-1", date(2024, 3, 5))]
    assert result.rejected.select("sheet", "row", "value").rows() == [("合同关键信息表", 3, "待签订")]


def test_a_moment_kept_as_a_date_only_keeps_its_business_date(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [["O1", "Won", "2024-03-31"]], ["id", "stage", "closed"])
    columns = {"opportunity_id": "id", "stage": {"from": "stage", "map": "stages"}, "closed_on": "closed"}
    row = night({"crm": {"entity": "opportunity", "path": f"{tmp_path}/in/*", "columns": columns}}).accepted.row(
        0, named=True
    )
    assert (row["closed_on"], row["closed_at"]) == (date(2024, 3, 31), datetime(2024, 3, 30, 16))


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"nonsense": "a"}, "no column nonsense"),
        ({"owner_id": "a"}, "needs stage"),
        ({"created_at": "a", "created_on": "b"}, "map only one"),
        ({"amount": {"value": "much"}}, "constant 'much'"),
        ({"created_at": {"from": "a", "formats": ["YYYY-MM-DD"]}}, "no date format"),
        ({"created_at": {"from": "a", "time_zone": "Peking"}}, "no time zone"),
    ],
)
def test_a_mapping_that_cannot_work_is_a_fault_of_the_configuration(tmp_path, night, columns, told):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [])
    required = {} if told == "needs stage" else {"opportunity_id": "id", "stage": "stage"}
    with pytest.raises(ConfigError, match=told):
        night(crm(tmp_path / "in", columns={**required, **columns}))


@pytest.mark.real_data
def test_a_real_export_is_read_whole(data_folder, night):
    path = data_folder / "maven" / "sales_pipeline.csv"
    columns = {
        "opportunity_id": "opportunity_id",
        "stage": {"from": "deal_stage", "map": {"Prospecting": "p", "Engaging": "e", "Won": "won", "Lost": "lost"}},
        "amount": "close_value",
        "closed_on": "close_date",
    }
    result = night({"maven": {"entity": "opportunity", "path": str(path), "columns": columns}})
    with path.open(encoding="utf-8", newline="") as stream:
        counted = sum(1 for _ in csv.DictReader(stream))
    assert result.accounts[0].rows_in == result.accounts[0].rows_accepted == counted == 8_800
    won = result.accepted.filter(pl.col("stage") == "won")
    assert (won.height, won["amount"].sum()) == (4_238, Decimal("10005534.00"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_is_one_short_sentence(language):
    for reason in REASONS.values():
        sentence = getattr(reason, language)
        assert sentence.endswith(("。", "."))
        assert len(sentence) < 120


def test_a_rounded_id_sets_its_row_aside_once(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [good(1), ["1.23457E+17", *good(2)[1:]]])
    rejected = night(crm(tmp_path / "in")).rejected
    assert rejected.select("row", "column", "value", "reason_code", "key").rows() == [
        (3, "Opportunity ID", "1.23457E+17", "lost_digits", None)
    ]


def test_a_reason_shows_what_would_have_been_read(tmp_path, night):
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", [CORRUPTIONS["unknown stage"](good(1)), [*good(2)[:4], "soon", "x"]])
    rejected = night(crm(tmp_path / "in", moments=["%d/%m/%Y %H:%M", "%Y-%m-%d"])).rejected
    told = {row["row"]: (row["reason_en"], row["reason_zh"]) for row in rejected.to_dicts()}
    assert told[3][0].endswith("For example: 20/05/2024 09:30, 2024-05-20.")
    assert told[3][1].endswith("例如：20/05/2024 09:30, 2024-05-20。")
    stage = rejected.filter(pl.col("reason_code") == "unknown_value")["reason_en"][0]
    assert stage.endswith("For example: qualification, Qualification, 需求挖掘, Qualify, won, Won, 合同签订, lost, ….")
