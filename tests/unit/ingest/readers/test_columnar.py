"""Parquet of any layout: every record once, in order, with its type."""

from datetime import date, datetime, time
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.readers.batch import ROW, FileRefused
from flows.ingest.readers.columnar import open_parquet


@given(groups=st.lists(st.integers(1, 12), max_size=8), batch_rows=st.integers(1, 10))
def test_every_record_comes_once_and_in_order_however_the_file_is_laid_out(tmp_path_factory, groups, batch_rows):
    path = tmp_path_factory.mktemp("layout") / "a.parquet"
    count = 0
    with pq.ParquetWriter(path, pa.schema({"n": pa.int64(), "text": pa.string()})) as writer:
        for rows in groups:
            numbers = range(count, count + rows)
            writer.write_table(pa.table({"n": pa.array(numbers), "text": [f"t{n}" for n in numbers]}))
            count += rows
    batches = [batch.rows for batch in open_parquet(path, batch_rows=batch_rows).read()]
    assert all(0 < batch.height <= batch_rows for batch in batches)
    read = [row for batch in batches for row in batch.iter_rows()]
    assert read == [(n, f"t{n}", n + 1) for n in range(count)]


def test_a_column_name_that_comes_twice_is_told_and_both_are_read(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1, 2]), pa.array(["x", None])], names=["a", "a"]), path)
    table = open_parquet(path)
    (batch,) = table.read()
    assert (table.columns, table.repeated) == (("a", "a (2)"), {"a"})
    assert batch.rows.rows() == [(1, "x", 1), (2, None, 2)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([Decimal("1.50"), None], pa.decimal128(38, 9)), [Decimal("1.50"), None]),
        (pa.array([time(1, 2, 3), None], pa.time64("us")), [time(1, 2, 3), None]),
        (pa.array([date(2024, 2, 29), None], pa.date32()), [date(2024, 2, 29), None]),
        (pa.array([0, None], pa.timestamp("ns")), [datetime(1970, 1, 1), None]),
        (pa.array([[1, 2], None]), [[1, 2], None]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_types_that_programs_write_are_kept(tmp_path, values, expected):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": values}), path)
    (batch,) = open_parquet(path).read()
    assert batch.rows["a"].to_list() == expected


def test_a_file_damaged_in_its_middle_is_refused_with_the_records_read_before(tmp_path):
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"n": range(1000), "text": [f"text {n}" for n in range(1000)]})
    frame.write_parquet(path, row_group_size=500, compression="snappy")
    with pq.ParquetFile(path) as file:
        second = file.metadata.row_group(1).column(0).data_page_offset
    damaged = bytearray(path.read_bytes())
    damaged[second : second + 200] = b"\xff" * 200
    path.write_bytes(damaged)
    with pytest.raises(FileRefused, match="damaged") as refusal:
        list(open_parquet(path, batch_rows=500).read())
    assert refusal.value.rows == 500


def test_rows_are_numbered_from_one(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": ["x"] * 5}).write_parquet(path)
    batches = open_parquet(path, batch_rows=2).read()
    assert [batch.rows[ROW].to_list() for batch in batches] == [[1, 2], [3, 4], [5]]
