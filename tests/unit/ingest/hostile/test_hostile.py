"""Files made to harm: each ends in one clear line or is read for what it is, in less than a gigabyte."""

import gzip
import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.config.sources import Source
from flows.ingest.readers import bounded, open_table
from flows.ingest.readers.batch import FileRefused
from flows.ingest.readers.workbook import survey
from tests.unit.ingest.hostile.watch import MemoryWatch, MiB, tree

BOUND = 1024 * MiB
SOURCE = Source.model_validate({"name": "s", "entity": "account", "path": "x", "columns": {"name": "a", "other": "b"}})

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
RECORD = '<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2"><v>1</v></c></row>'
PROLOGUE = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def sheet(body: str = RECORD, *, doctype: str = "", after: str = "") -> str:
    return f'{PROLOGUE}{doctype}<worksheet xmlns="{MAIN}"><sheetData>{HEADER}{body}</sheetData>{after}</worksheet>'


def parts(content: str | bytes, sheets: int = 1, strings: str | None = None) -> dict[str, str | bytes]:
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, sheets + 1))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{relation}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, sheets + 1)
    )
    shared = f'<Relationship Id="rs" Type="{relation}/sharedStrings" Target="sharedStrings.xml"/>' if strings else ""
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{PROLOGUE}<Types xmlns="{package}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{spreadsheet}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'{PROLOGUE}<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{PROLOGUE}<workbook xmlns="{MAIN}" xmlns:r="{relation}"><sheets>{names}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'{PROLOGUE}<Relationships xmlns="{package}/relationships">{links}{shared}'
        "</Relationships>",
    }
    if strings:
        found["xl/sharedStrings.xml"] = strings
    return found | {f"xl/worksheets/sheet{n}.xml": content for n in range(1, sheets + 1)}


def zipped(path: Path, members: dict[str, str | bytes], level: int = 1) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def streamed(path: Path, members: dict[str, str | bytes], name: str, pieces: Iterable[bytes], level: int = 1) -> Path:
    """A workbook with one part too large to build in memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for other, content in members.items():
            if other != name:
                archive.writestr(other, content)
        with archive.open(name, "w", force_zip64=True) as part:
            for piece in pieces:
                part.write(piece)
    return path


def attempt(path: Path, file_format: str) -> str | int:
    """The refusal, or how many records were read; either way within bounds and leaving nothing behind."""
    before = set(tree())  # a server that another test of this process has started is none of the reader's
    with MemoryWatch() as watch:
        try:
            result: str | int = open_table(path, file_format, SOURCE).count()
        except FileRefused as refusal:
            result = str(refusal)
    assert watch.extra < BOUND, f"{watch.extra // MiB} MB"
    if isinstance(result, str):
        assert "\n" not in result
        assert len(result) < 500
    assert len(set(tree()) - before) <= 1, "more than the one worker of the sandbox is still there"
    folder = bounded._worker._folder
    assert folder is None or not any(folder.iterdir()), "a temporary folder is still there"
    return result


# ---- xlsx


def zip_bomb(path: Path) -> Path:
    pieces = [b" " * MiB] * 300
    return streamed(path, parts(""), "xl/worksheets/sheet1.xml", [sheet()[:200].encode(), *pieces], 9)


def nested_bomb(path: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * (200 * MiB))
    return zipped(path, parts(sheet()) | {"xl/embeddings/inner.zip": inner.getvalue()})


def lying_sizes(path: Path) -> Path:
    """The directory says that the sheet has 100 bytes."""
    content = bytearray(zipped(path, parts(sheet(RECORD + " " * (80 * MiB)))).read_bytes())
    name = b"xl/worksheets/sheet1.xml"
    entry = content.rfind(name) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into("<I", content, entry + 24, 100)
    local = content.find(name) - 30
    struct.pack_into("<I", content, local + 22, 100)
    path.write_bytes(content)
    return path


def overlapping(path: Path) -> Path:
    """Two hundred entries of the directory share the same bytes, as in a quine or an overlap bomb."""
    archive = zipped(path, parts(sheet(RECORD + " " * 10_000))).read_bytes()
    end = archive.rfind(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", archive, end + 10)
    directory = archive[offset : offset + size]
    name = b"xl/worksheets/sheet1.xml"
    entry = directory[directory.rfind(name) - 46 :]
    copies = b"".join(entry.replace(b"sheet1", b"s%05d" % n) for n in range(200))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count + 200, count + 200, size + len(copies), offset, 0)
    path.write_bytes(archive[:offset] + directory + copies + tail)
    return path


def far_cell(path: Path) -> Path:
    return zipped(path, parts(sheet(RECORD + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')))


def external_entity(path: Path) -> Path:
    doctype = '<!DOCTYPE worksheet [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return zipped(
        path, parts(sheet('<row r="2"><c r="A2" t="inlineStr"><is><t>&x;</t></is></c></row>', doctype=doctype))
    )


def billion_laughs(path: Path) -> Path:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE worksheet [<!ENTITY l0 "lol">{laughs}]>'
    return zipped(
        path, parts(sheet('<row r="2"><c r="A2" t="inlineStr"><is><t>&l9;</t></is></c></row>', doctype=doctype))
    )


def shared_string_bomb(path: Path) -> Path:
    """One text of 30 KB in a million cells: 30 GB."""
    strings = f'{PROLOGUE}<sst xmlns="{MAIN}"><si><t>{"x" * 30_000}</t></si></sst>'
    rows = (
        "".join(f'<row r="{r}"><c r="A{r}" t="s"><v>0</v></c></row>' for r in range(at, at + 10_000)).encode()
        for at in range(2, 1_000_000, 10_000)
    )
    opening, _, closing = sheet("|").partition("|")
    members = parts("", strings=strings)
    return streamed(path, members, "xl/worksheets/sheet1.xml", [opening.encode(), *rows, closing.encode()])


def million_merges(path: Path) -> Path:
    merges = (
        "".join(f'<mergeCell ref="A{r}:B{r}"/>' for r in range(at, at + 10_000)).encode()
        for at in range(3, 1_000_003, 10_000)
    )
    opening, _, closing = sheet(after="<mergeCells>|</mergeCells>").partition("|")
    return streamed(path, parts(""), "xl/worksheets/sheet1.xml", [opening.encode(), *merges, closing.encode()])


def million_sheets(path: Path) -> Path:
    """Written by hand: the directory of a million parts."""
    content = zlib.compress(sheet().encode())[2:-4]
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(content), 100, 13, 0) + b"sheet0000.xml"
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(content), 100, 13, 0, 0, 0, 0, 0, 0)
    with path.open("wb") as stream:
        stream.write(head + content)
        start = stream.tell()
        for n in range(1_000_000):
            stream.write(entry + b"%09d.xml" % n)
        size = stream.tell() - start
        stream.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, start, 0))
    return path


def many_sheets(path: Path) -> Path:
    return zipped(path, parts(sheet(), sheets=5_000))


def wide_sheet(path: Path) -> Path:
    """A hundred thousand columns: Excel has 16,384."""
    letters = []
    for number in range(1, 100_001):
        name = ""
        while number:
            number, letter = divmod(number - 1, 26)
            name = chr(65 + letter) + name
        letters.append(name)
    cells = "".join(f'<c r="{name}2"><v>1</v></c>' for name in letters)
    return zipped(path, parts(sheet(f'<row r="2">{cells}</row>')))


def truncated(path: Path) -> Path:
    content = zipped(path, parts(sheet(RECORD * 1000))).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def half_a_sheet(path: Path) -> Path:
    return zipped(path, parts(sheet()[:-60]))


def encrypted(path: Path) -> Path:
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(5000)
    )
    return path


def old_garbage(path: Path) -> Path:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.Random(1).randbytes(200_000))
    return path


def web_page(path: Path) -> Path:
    path.write_text("<html><table><tr><td>a</td></tr></table></html>")
    return path


def sixteen_bit(path: Path) -> Path:
    return zipped(path, parts(sheet().replace("UTF-8", "UTF-16").encode("utf-16")))


WORKBOOKS: list[tuple[Callable[[Path], Path], str]] = [
    (zip_bomb, "unpacked"),
    (lying_sizes, "damaged one"),
    (overlapping, "same place"),
    (far_cell, "1,048,576 rows by 16,384 columns"),
    (external_entity, "document type declaration"),
    (billion_laughs, "document type declaration"),
    (shared_string_bomb, "memory"),
    (million_merges, "merged ranges"),
    (million_sheets, "parts"),
    (many_sheets, "1,000 sheets"),
    (wide_sheet, "columns|damaged"),
    (truncated, "cut off"),
    (half_a_sheet, "damaged"),
    (encrypted, "password"),
    (old_garbage, "damaged|cannot be read"),
    (web_page, "web page"),
    (sixteen_bit, "UTF-16"),
]


@pytest.mark.parametrize(("build", "told"), WORKBOOKS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_workbook_made_to_harm_is_refused_in_one_line(tmp_path, build, told):
    result = attempt(build(tmp_path / "a.xlsx"), "xlsx")
    assert isinstance(result, str), f"{result} records were read"
    assert any(word in result for word in told.split("|")), result


def test_what_hides_beside_the_sheets_is_never_unpacked(tmp_path):
    assert attempt(nested_bomb(tmp_path / "a.xlsx"), "xlsx") == 1


def test_a_huge_text_and_deep_elements_are_read_for_what_they_are(tmp_path):
    text = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{"x" * (40 * MiB)}</t></is></c></row>'
    assert attempt(zipped(tmp_path / "text.xlsx", parts(sheet(text))), "xlsx") == 1
    deep = RECORD.replace("</row>", "<x>" * 1_000_000 + "</x>" * 1_000_000 + "</row>")
    assert attempt(zipped(tmp_path / "deep.xlsx", parts(sheet(deep))), "xlsx") == 1


@pytest.mark.parametrize("name", ["../../evil.txt", "/tmp/planloop-evil.txt", "..\\..\\evil.txt", "xl/../../evil.txt"])
def test_names_that_lead_out_of_the_archive_lead_nowhere(tmp_path, name):
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    assert attempt(zipped(folder / "a.xlsx", parts(sheet()) | {name: "evil"}), "xlsx") == 1
    assert not list(tmp_path.rglob("evil*"))
    assert not os.path.exists("/tmp/planloop-evil.txt")


def test_a_sheet_outside_of_the_archive_is_none(tmp_path):
    members = parts(sheet())
    links = str(members["xl/_rels/workbook.xml.rels"]).replace("worksheets/sheet1.xml", "../../../../../etc/passwd")
    result = attempt(zipped(tmp_path / "a.xlsx", members | {"xl/_rels/workbook.xml.rels": links}), "xlsx")
    assert isinstance(result, str)
    assert "expected its cells" in result


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    path = tmp_path / "a.xlsx"
    members = parts(sheet())
    del members["xl/worksheets/sheet1.xml"]
    with zipfile.ZipFile(zipped(path, members), "a") as archive:
        link = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    result = attempt(path, "xlsx")
    assert isinstance(result, str)
    assert "root:" not in result


def test_formulas_and_commands_stay_text(tmp_path):
    command = "=cmd|'/c calc'!A1"
    text = f'<c r="A2" t="inlineStr"><is><t>{command}</t></is></c>'
    row = f'<row r="2">{text}<c r="B2" t="str"><f>{command[1:]}</f><v>x</v></c></row>'
    (batch,) = open_table(zipped(tmp_path / "a.xlsx", parts(sheet(row))), "xlsx", SOURCE).read()
    assert batch.rows.select("a", "b").rows() == [(command, "x")]
    csv = tmp_path / "a.csv"
    csv.write_text(f'a,b\n"{command}",+1\n')
    (batch,) = open_table(csv, "csv", SOURCE).read()
    assert batch.rows.select("a", "b").rows() == [(command, "+1")]


# ---- text


def repeated(path: Path, start: bytes, piece: bytes, times: int, end: bytes = b"") -> Path:
    with path.open("wb") as stream:
        stream.write(start)
        for _ in range(times):
            stream.write(piece)
        stream.write(end)
    return path


TEXTS: list[tuple[str, str, Callable[[Path], Path], str]] = [
    ("one_line", "csv", lambda p: repeated(p, b"", b"x" * MiB, 200), "longer"),
    ("one_record", "csv", lambda p: repeated(p, b"a,b\n1,", b"x" * MiB, 200), "longer"),
    ("open_quote", "csv", lambda p: repeated(p, b'a,b\n1,"', b"x" * MiB, 200), "Line 2"),
    ("quoted_lines", "csv", lambda p: repeated(p, b'a,b\n1,"', b"x\n" * (MiB // 2), 200, b'"\n'), "16 MB"),
    ("many_columns", "csv", lambda p: repeated(p, b"a", b",a", 100_000, b"\n"), "16,384 columns"),
    ("ragged", "csv", lambda p: repeated(p, b"a,b\n", b"," * 1000 + b"\n", 60_000), "fields in a record"),
    ("nul", "csv", lambda p: repeated(p, b"a,b\n", b"1,2\n", 2 * MiB, b"1,\x00\n"), "NUL"),
    ("gzip", "csv", lambda p: p.write_bytes(gzip.compress(b"a,b\n1,2\n")) and p, "gzip"),
    ("zip", "csv", lambda p: zipped(p, {"a.csv": "a,b\n"}), "zip archive"),
    ("program", "csv", lambda p: repeated(p, b"MZ\x90\x00", b"\x00", 100), "a program"),
    ("utf16", "csv", lambda p: p.write_bytes("编号,b\n1,2\n".encode("utf-16-le") * 9) and p, "encoding: utf-16"),
    ("json_line", "jsonl", lambda p: repeated(p, b'{"a":"', b"x" * MiB, 200, b'"}\n'), "4 MB"),
    ("json_keys", "jsonl", lambda p: p.write_text("".join(f'{{"k{n}":1}}\n' for n in range(100_000))) and p, "16,384"),
    (
        "json_object",
        "jsonl",
        lambda p: p.write_text("{" + ",".join(f'"k{n}":1' for n in range(100_000)) + "}\n") and p,
        "16,384",
    ),
]


@pytest.mark.parametrize(("name", "file_format", "build", "told"), TEXTS, ids=[case[0] for case in TEXTS])
def test_a_text_made_to_harm_is_refused_in_one_line(tmp_path, name, file_format, build, told):
    result = attempt(build(tmp_path / f"{name}.{file_format}"), file_format)
    assert isinstance(result, str), f"{result} records were read"
    assert told in result


@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_deep_json_is_read(tmp_path, bracket):
    deep = "[" * 100_000 + "]" * 100_000 if bracket == "[]" else '{"a":' * 100_000 + "1" + "}" * 100_000
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a":{deep}}}\n{{"a":1}}\n')
    assert attempt(path, "jsonl") == 2


def test_brackets_without_end_are_no_record(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n' + "[" * (4 * MiB - 100) + "\n")
    assert attempt(path, "jsonl") == 2


# ---- Parquet


def absurd_rows(path: Path) -> Path:
    """Thirty million rows in a few kilobytes."""
    ones = pa.array(np.ones(1_000_000, np.int64))
    pq.write_table(pa.table({"a": pa.chunked_array([ones] * 30)}), path, row_group_size=30_000_000)
    return path


def repeated_text(path: Path) -> Path:
    """A text of a megabyte, twenty thousand times."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, np.int32)), pa.array(["x" * MiB]))
    pq.write_table(pa.table({"a": texts}), path, store_schema=False)
    return path


def huge_page(path: Path) -> Path:
    pq.write_table(pa.table({"a": ["\0" * MiB] * 300}), path, compression="zstd", use_dictionary=False)
    return path


def lying_page(path: Path) -> Path:
    """The header of its page promises two gigabytes."""
    pq.write_table(pa.table({"a": ["x" * 100] * 1000}), path, use_dictionary=False, compression="zstd")
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(0).column(0).data_page_offset
    assert content[start + 2] == 0x15, "field 2, a whole number"
    for at, byte in enumerate((0xFC, 0xFF)):
        content[start + 3 + at] = byte | 0x80
    path.write_bytes(content)
    return path


def half_a_footer(path: Path) -> Path:
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-20])
    return path


def wide_parquet(path: Path) -> Path:
    pq.write_table(pa.table({f"c{n}": [1] for n in range(20_000)}), path)
    return path


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (repeated_text, "repeats long texts"),
        (huge_page, "pages of at most 256 MB"),
        (lying_page, "Parquet|unpack to"),
        (half_a_footer, "Parquet"),
        (wide_parquet, "16,384 columns"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_parquet_file_made_to_harm_is_refused_in_one_line(tmp_path, build, told):
    result = attempt(build(tmp_path / "a.parquet"), "parquet")
    assert isinstance(result, str), f"{result} records were read"
    assert any(word in result for word in told.split("|")), result


def test_absurdly_many_rows_are_read_batch_by_batch(tmp_path):
    assert attempt(absurd_rows(tmp_path / "a.parquet"), "parquet") == 30_000_000


def test_a_sheet_that_is_asked_for_by_all_names_is_bounded_too(tmp_path):
    path = zipped(tmp_path / "a.xlsx", parts(sheet(), sheets=300))
    with MemoryWatch() as watch:
        found = survey(path, sheet="*", known=frozenset({"a", "b"}))
    assert len(found.tables) == 300
    assert watch.extra < BOUND
