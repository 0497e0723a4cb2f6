"""Counting the records of an input file without planloop: the other side of ``in = accepted + quarantined``."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet


def count_records(path: Path, source: Mapping[str, Any]) -> int:
    """Records of a file below its header; ``source`` is its entry in sources.yaml, for the sheet and the header row."""
    match path.suffix:
        case ".csv":
            rows = list(csv.reader(io.StringIO(_decode(path.read_bytes()), newline="")))
            return sum(1 for row in rows if row) - int(source.get("header_row", 1))
        case ".jsonl":
            return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        case ".parquet":
            return int(pyarrow.parquet.read_metadata(path).num_rows)
        case ".xlsx":
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            if source.get("template"):
                rows = list(book.worksheets[0].iter_rows(values_only=True))
                header = next(number for number, row in enumerate(rows) if "客户名称" in row)
                return sum(1 for row in rows[header + 1 :] if any(row) and row[0] != "合计")
            sheet = book[source["sheet"]] if "sheet" in source else book.worksheets[0]
            below = sheet.iter_rows(min_row=int(source.get("header_row", 1)) + 1, values_only=True)
            return sum(1 for row in below if any(value not in (None, "") for value in row))
    raise AssertionError(path)


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("neither UTF-8 nor GB18030")
