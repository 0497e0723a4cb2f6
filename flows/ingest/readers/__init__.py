"""Readers: one module a format, all yielding the same bounded batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from flows.config.sources import Source
    from flows.ingest.readers.batch import Table
    from flows.ingest.readers.workbook import TablePlace

__all__ = ["open_table"]


def open_table(path: Path, file_format: str, source: Source, place: TablePlace | None = None) -> Table:
    """Open a landed file with the reading options of its source.

    Args:
        path: the landed file.
        file_format: csv, parquet, jsonl, xlsx or xls.
        source: how it is read.
        place: which table of a workbook; None is the first one that holds the mapped columns.

    Raises:
        FileRefused: the file as a whole cannot be used.
    """
    # Imported by format, since the sandbox, which parses workbooks, imports this package too and has to start quickly.
    if file_format == "parquet":
        from flows.ingest.readers.columnar import open_parquet

        return open_parquet(path)
    if file_format in {"xlsx", "xls"}:
        from flows.ingest.readers.workbook import open_source_table, open_workbook

        return open_workbook(path, place) if place else open_source_table(path, source)
    if file_format == "jsonl":
        from flows.ingest.readers.cut_off import refuse_cut_off_object
        from flows.ingest.readers.json_lines import open_json_lines

        if source.mode == "full":
            refuse_cut_off_object(path)
        return open_json_lines(path, declared_encoding=source.encoding)
    from flows.ingest.readers.cut_off import refuse_cut_off_record
    from flows.ingest.readers.delimited import open_delimited

    delimiter = "\t" if path.suffix.lower() == ".tsv" else source.csv.delimiter
    table = open_delimited(
        path,
        declared_encoding=source.encoding,
        delimiter=delimiter,
        quote=source.csv.quote,
        header_row=source.header_row or 1,
    )
    if source.mode == "full":
        codec = str(table.dialect).partition(",")[0]
        refuse_cut_off_record(path, len(table.columns), codec, delimiter, source.csv.quote)
    return table
