"""A full export that ends amid a record deletes nothing: it is refused."""

import pytest

from flows.config.sources import Source
from flows.ingest.readers import open_table
from flows.ingest.readers.batch import FileRefused

CSV = "编号,名称,金额\r\n1,甲,5\r\n2,乙,6"
WHOLE = {
    "no line end after whole records": CSV,
    "a short record that has its line end": CSV + "\r\n3,丙\r\n",
    "the footer of a report": CSV + "\r\nConfidential",
    "a record over several lines": CSV + '\r\n3,"丙\n丁",7',
    "a last field over several lines, of commas": 'a,b,c\n1,2,"x\ny,z"',
    "nothing but a header": "编号,名称,金额",
}


def source(mode: str = "full") -> Source:
    columns = {"opportunity_id": "编号", "stage": {"value": "x"}}
    return Source.model_validate(
        {"name": "crm", "entity": "opportunity", "path": "x", "mode": mode, "columns": columns}
    )


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_full_export_that_ends_amid_a_record_is_refused(tmp_path, codec):
    path = tmp_path / "a.csv"
    path.write_bytes((CSV + "\r\n3,丙").encode(codec))
    with pytest.raises(FileRefused, match="last line of 2 instead of 3 fields without a line end"):
        open_table(path, "csv", source())
    (batch,) = open_table(path, "csv", source("append")).read()
    assert (batch.rows.height, batch.faulty.height) == (2, 1)


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_what_is_whole_is_read(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, newline="")
    assert open_table(path, "csv", source()).columns[0] in ("编号", "a")


def test_a_full_export_that_ends_amid_an_object_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"编号": "1"}\n{"编号": "2"}')
    assert open_table(path, "jsonl", source()).columns == ("编号",)
    path.write_text('{"编号": "1"}\n{"编号": "2", "名')
    with pytest.raises(FileRefused, match="found the beginning of one without a line end"):
        open_table(path, "jsonl", source())
    assert open_table(path, "jsonl", source("append")).columns == ("编号",)
