"""Readers: one module a format, all yielding the same bounded batches."""

from pathlib import Path

from flows.config.sources import Source
from flows.ingest.readers.batch import Table
from flows.ingest.readers.columnar import open_parquet
from flows.ingest.readers.delimited import open_delimited
from flows.ingest.readers.json_lines import open_json_lines
from flows.ingest.readers.workbook import open_workbook

__all__ = ["open_table"]


def open_table(path: Path, file_format: str, source: Source) -> Table:
    """Open a landed file with the reading options of its source.

    Raises:
        FileRefused: the file as a whole cannot be used.
    """
    if file_format == "parquet":
        return open_parquet(path)
    if file_format == "xlsx":
        return open_workbook(path, sheet=source.sheet, header_row=source.header_row or 1)
    if file_format == "jsonl":
        return open_json_lines(path, declared_encoding=source.encoding)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else source.csv.delimiter
    return open_delimited(
        path,
        declared_encoding=source.encoding,
        delimiter=delimiter,
        quote=source.csv.quote,
        header_row=source.header_row or 1,
    )
