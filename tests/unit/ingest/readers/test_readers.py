"""Every format yields its records with their numbers, and keeps aside what is no row."""

import csv
import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.readers.batch import RAW, REASON, ROW, VALUE, FileRefused, Table, header_names
from flows.ingest.readers.columnar import open_parquet
from flows.ingest.readers.delimited import open_delimited
from flows.ingest.readers.encoding import detect
from flows.ingest.readers.json_lines import open_json_lines


def rows(table: Table) -> list[dict]:
    return [row for batch in table.read() for row in batch.rows.to_dicts()]


def faulty(table: Table) -> list[dict]:
    return [row for batch in table.read() for row in batch.faulty.to_dicts()]


def write(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_csv_keeps_ragged_records_with_their_number(tmp_path):
    table = open_delimited(write(tmp_path, 'id,text\r\n1,"a\r\nb"\r\n\r\n2,x,y\r\n3\r\n4,"q""q"\r\n'))
    assert [(row[ROW], row["id"], row["text"]) for row in rows(table)] == [(2, "1", "a\r\nb"), (5, "4", 'q"q')]
    assert [(row[ROW], row[REASON], row[VALUE], row["id"]) for row in faulty(table)] == [
        (3, "ragged_row", "3 instead of 2 fields", "2"),
        (4, "ragged_row", "1 instead of 2 fields", "3"),
    ]
    assert json.loads(faulty(table)[0][RAW]) == {"id": "2", "text": "x", "(beyond the header)": ["y"]}


def test_the_footer_of_a_report_is_no_record_and_a_record_cut_short_is_one(tmp_path):
    text = (
        '"id","text","sum"\r\n"1","a","2"\r\n"Confid"\r\n"3","b","4"\r\n\r\n"Grand Totals (2 records)"\r\n\r\n'
        '"Confidential Information - Do Not Distribute"\r\n"Copyright (c) 2000-2026 a vendor"\r\n"My deals"\r\n'
    )
    table = open_delimited(write(tmp_path, text))
    assert [row["id"] for row in rows(table)] == ["1", "3"]
    assert [(row[ROW], row["id"]) for row in faulty(table)] == [(3, "Confid")]
    aside = [row for batch in table.read() for row in batch.set_aside.to_dicts()]
    assert [(row[ROW], row[REASON]) for row in aside] == [
        (5, "total_row"),
        (6, "note_row"),
        (7, "note_row"),
        (8, "note_row"),
    ]
    assert json.loads(aside[3][RAW]) == {"id": "My deals"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_in_any_encoding_and_with_any_line_ending(tmp_path, encoding, ending):
    text = ending.join(["客户名称,金额", "腾飞科技,1", "𠮷野家,2", ""])
    content = (
        ("\ufeff" + text).encode(encoding.removesuffix("-bom")) if encoding.endswith("-bom") else text.encode(encoding)
    )
    table = open_delimited(write(tmp_path, content))
    assert [(row[ROW], row["客户名称"], row["金额"]) for row in rows(table)] == [
        (2, "腾飞科技", "1"),
        (3, "𠮷野家", "2"),
    ]


BYTES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\x00"), max_size=3).map(lambda text: text.encode("utf-8", "ignore")),
        st.binary(max_size=3).map(lambda some: some.replace(b"\x00", b"")),
        st.sampled_from([b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xc0\xaf", b"\x80\x80\x80\x80", b"\xf4\x90\x80\x80"]),
    ),
    max_size=6,
).map(b"".join)


@given(content=BYTES, piece=st.integers(4, 9))
def test_where_a_text_is_cut_does_not_tell_its_encoding(tmp_path_factory, content, piece):
    path = write(tmp_path_factory.mktemp("cut"), b"a,b\n" + content)
    try:
        expected = content.decode() is not None
    except UnicodeDecodeError:
        expected = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.ingest.readers.encoding.PIECE", piece)
        try:
            found = detect(path, "utf-8") == "utf-8"
        except FileRefused:
            found = False
    assert found == expected


@pytest.mark.parametrize("text", ["Müller & Söhne", "Société Générale", "Peña"])
def test_western_text_is_refused_and_never_turned_into_han_characters(tmp_path, text):
    path = write(tmp_path, f"id,name\n1,{text}\n".encode("cp1252"))
    with pytest.raises(FileRefused, match="cp1252"):
        open_delimited(path)
    table = open_delimited(path, declared_encoding="cp1252")
    assert rows(table)[0]["name"] == text


@pytest.mark.parametrize("text", ["张三", "镕", "喆", "臺灣積體電路製造股份有限公司", "金额（万元）", "€"])
def test_chinese_text_of_windows_is_still_recognised(tmp_path, text):
    table = open_delimited(write(tmp_path, f"编号,客户名称\n1,{text}\n".encode("gb18030")))
    assert rows(table)[0]["客户名称"] == text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "end of the file"),
        (b"\n1,2\n", "empty row"),
        (b"a,b\n\xff\xff,\x81\n", "utf-8 or gb18030"),
        (b"PK\x03\x04\x00\x00", "xlsx workbook"),
        (b'a,b\n1,"x\n2,y\n3,z\n', "Line 2"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_with_its_cause(tmp_path, content, told):
    with pytest.raises(FileRefused, match=told):
        open_delimited(write(tmp_path, content))


def test_a_quotation_mark_inside_a_text_does_not_refuse_the_file(tmp_path):
    table = open_delimited(write(tmp_path, 'id,size\n1,5" pipe\n2,x\n'))
    assert [row["size"] for row in rows(table)] == ['5" pipe', "x"]


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    for text in ("a,b", "a,b\n", "a,b\r\n\r\n"):
        table = open_delimited(write(tmp_path, text))
        assert table.columns == ("a", "b")
        assert table.count() == 0


def test_titles_above_the_header_are_skipped_by_header_row(tmp_path):
    table = open_delimited(write(tmp_path, "销售报表\n\n编号;金额\nA;1,5\n"), delimiter=";", header_row=3)
    assert [(row[ROW], row["编号"], row["金额"]) for row in rows(table)] == [(4, "A", "1,5")]


def test_headers_are_compared_without_width_spaces_and_invisible_characters():
    assert header_names(["\ufeff Opportunity　ID ", "金额（万元）", "", "x", "x"]) == (  # noqa: RUF001
        ("Opportunity ID", "金额(万元)", "(column 3)", "x", "x (2)"),
        frozenset({"x"}),
    )


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@given(records=st.lists(st.lists(FIELD, min_size=1, max_size=4), max_size=30), block=st.sampled_from([200, 1 << 20]))
def test_csv_records_are_those_that_pythons_own_reader_counts(tmp_path_factory, records, block):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a", "b"])
        writer.writerows(records)
    with path.open(encoding="utf-8", newline="") as stream:
        expected = [record for record in csv.reader(stream) if record][1:]
    table = open_delimited(path, block_bytes=block)
    read = {row[ROW]: [row["a"], row["b"]] for row in rows(table)}
    ragged = {row[ROW] for row in faulty(table)}
    assert {number: fields for number, fields in enumerate(expected, 2) if len(fields) == 2} == read
    assert {number for number, fields in enumerate(expected, 2) if len(fields) != 2} == ragged


def test_parquet_keeps_types_and_numbers_records_from_one(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({" 金额 ": [1.5, 2.5, 3.5], "at": [datetime(2024, 1, 1)] * 3}).write_parquet(path)
    table = open_parquet(path, batch_rows=2)
    assert [batch.rows.height for batch in table.read()] == [2, 1]
    assert rows(table)[2] == {"金额": 3.5, "at": datetime(2024, 1, 1), ROW: 3}
    with pytest.raises(FileRefused, match="Parquet"):
        open_parquet(write(tmp_path, "no parquet"))


def test_a_parquet_file_with_a_damaged_name_of_a_column_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"金额": [1.5]}).write_parquet(path)
    path.write_bytes(path.read_bytes().replace("金额".encode(), b"\xe9\x87\x91\xe9\xa2("))
    with pytest.raises(FileRefused, match="damaged"):
        open_parquet(path)


def test_json_lines_keep_lines_that_are_no_object(tmp_path):
    lines = [
        '{"id": "1", "金额": 1.50, "ok": true, "tags": ["a"], "a/b~c": "slash"}',
        "",
        '{"id": "2"',
        '["id"]',
        '{"id": 3, "金额": null, "text": "a\\nb"}',
    ]
    table = open_json_lines(write(tmp_path, "\n".join(lines), "a.jsonl"))
    assert sorted(table.columns) == ["a/b~c", "id", "ok", "tags", "text", "金额"]
    first, last = rows(table)
    assert (first[ROW], first["id"], first["金额"], first["ok"], first["tags"]) == (1, "1", "1.5", "true", '["a"]')
    assert first["a/b~c"] == "slash"
    assert (last[ROW], last["id"], last["金额"], last["text"]) == (4, "3", None, "a\nb")
    assert [(row[ROW], row[REASON], json.loads(row[RAW])["line"]) for row in faulty(table)] == [
        (2, "not_json", '{"id": "2"'),
        (3, "not_json", '["id"]'),
    ]
    assert table.count() == 4


def test_json_lines_without_a_line_have_no_rows_and_without_an_object_are_refused(tmp_path):
    assert open_json_lines(write(tmp_path, "", "a.jsonl")).count() == 0
    with pytest.raises(FileRefused, match="found none") as refused:
        open_json_lines(write(tmp_path, "a,b\n1,2\n", "b.jsonl"))
    assert refused.value.rows == 2
