"""Looking into a file of which nothing is known: format, encoding, delimiter, and where each table's header stands."""

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.sources import ENDINGS, Format
from flows.ingest.headers import header_key, synonyms
from flows.ingest.readers import encoding
from flows.ingest.readers.batch import ROW, FileRefused, Table
from flows.ingest.readers.columnar import open_parquet
from flows.ingest.readers.delimited import open_delimited
from flows.ingest.readers.json_lines import open_json_lines
from flows.ingest.values import as_text
from flows.onboard.wording import Said

DELIMITERS = (",", ";", "\t", "|", "^", "~")
_LINES = 200
_HEADER_WITHIN = 20
_HEAD = 8
_REPEATED = 3
_FREQUENT = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}
"""First bytes of the characters in frequent use: text in the other encoding has few of them."""
_CLEARLY = 0.2
_MOSTLY_FREQUENT = 0.5


@dataclass(frozen=True)
class Part:
    """One table of one file.

    Attributes:
        path: the file.
        format: its format, by its content.
        options: what of ``sources.yaml`` it takes to read it: format, encoding, csv, header_row, sheet.
        table: its columns, as the night reads them.
        rows: its records, with ``ROW``; records that are no rows of the table are left out.
        said: what was assumed, for a person to judge.
    """

    path: Path
    format: Format
    options: dict[str, Any]
    table: Table
    rows: pl.DataFrame
    said: tuple[Said, ...] = ()

    @property
    def place(self) -> str:
        """How the part is called: the file's name, and the sheet of a workbook."""
        return f"{self.path.name}#{self.table.sheet}" if self.table.sheet else self.path.name


def look(path: Path, *, options: dict[str, Any] | None = None) -> list[Part]:
    """Every table of a file.

    Args:
        path: the file.
        options: what is known already and not looked for: encoding, delimiter, sheet, header_row.

    Raises:
        FileRefused: it is no file that planloop reads, or holds no table.
    """
    given = options or {}
    with path.open("rb") as stream:
        start = stream.read(_HEAD)
    found = _format(path, start)
    stated: dict[str, Any] = {} if ENDINGS.get(path.suffix.lower()) == found else {"format": found}
    if found == "parquet":
        return [_part(path, found, stated, open_parquet(path))]
    if found == "jsonl":
        _refuse_json_document(path, start)
        return [_part(path, found, stated, open_json_lines(path))]
    if found in ("xlsx", "xls"):
        from flows.onboard.workbooks import workbook_tables

        places = workbook_tables(path, known_keys(), sheet=given.get("sheet"), header_row=given.get("header_row"))
        return [_part(path, found, {**stated, **options_of}, table) for options_of, table in places]
    return [_look_at_text(path, stated, given)]


def _format(path: Path, start: bytes) -> Format:
    """By the content; the ending only tells text formats apart. Old systems call their text or HTML .xls."""
    if start.startswith(b"PK"):
        return "xlsx"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if start.startswith(b"PAR1"):
        return "parquet"
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    if text.startswith(b"<"):
        raise FileRefused(
            "Expected an export, found HTML or XML. Save it as .xlsx or CSV in the program that opens it."
        )
    ending = ENDINGS.get(path.suffix.lower())
    return "jsonl" if ending == "jsonl" or text.startswith((b"{", b"[{")) else "csv"


def _refuse_json_document(path: Path, start: bytes) -> None:
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"["):
        raise FileRefused(
            f"Expected one JSON object a line, found one JSON list. Write one record a line: jq -c '.[]' {path.name}"
        )


def _part(path: Path, found: Format, options: dict[str, Any], table: Table, said: tuple[Said, ...] = ()) -> Part:
    batches = [batch.rows.drop(ROW) for batch in table.read()]
    if not batches:
        return Part(path, found, options, table, pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String)), said)
    kinds = [{batch.schema[name] for batch in batches} for name in table.columns]
    mixed = [name for name, dtypes in zip(table.columns, kinds, strict=True) if len(dtypes) > 1]
    alike = [batch.with_columns(as_text(batch[name]) for name in mixed) for batch in batches]
    return Part(path, found, options, table, pl.concat(alike), said)


def _look_at_text(path: Path, stated: dict[str, Any], given: dict[str, Any]) -> Part:
    declared, codec, said = _encoding(path, given.get("encoding"))
    options = dict(stated)
    if declared:
        options["encoding"] = declared
    with encoding.open_utf8(path, codec) as stream:
        lines = [line.decode("utf-8", "replace") for line in islice(stream, _LINES)]
    delimiter = given.get("delimiter") or ("\t" if path.suffix.lower() == ".tsv" else _delimiter(lines))
    if delimiter != "," and path.suffix.lower() != ".tsv":
        options["csv"] = {"delimiter": delimiter}
    header_row = int(given.get("header_row") or _header_row(lines, delimiter))
    if header_row > 1:
        options["header_row"] = header_row
    table = open_delimited(path, declared_encoding=declared or "auto", delimiter=delimiter, header_row=header_row)
    return _part(path, "csv", options, table, said)


def _encoding(path: Path, known: str | None) -> tuple[str | None, str, tuple[Said, ...]]:
    """What to declare (None: nothing, it is recognised), the codec, and what was assumed."""
    if known:
        return known, encoding.detect(path, known), ()
    try:
        codec = encoding.detect(path, "auto")
    except FileRefused:
        codec = ""
    if codec and codec != "gb18030":
        return None, codec, ()
    raw = path.read_bytes()
    if not codec and b"\x00" in raw[:1024]:
        return "utf-16", encoding.detect(path, "utf-16"), (Said("encoding", value="utf-16", sample=""),)
    shares = {name: _frequent_share(raw, name) for name in _FREQUENT}
    if shares["big5"] > shares["gb18030"] + _CLEARLY and _decodes(raw, "big5"):
        return "big5", "big5", (Said("encoding", value="big5", sample=_sample(raw, "big5")),)
    if codec and shares["gb18030"] >= _MOSTLY_FREQUENT:
        return None, codec, ()
    if _decodes(raw, "cp1252"):
        return "cp1252", "cp1252", (Said("encoding", value="cp1252", sample=_sample(raw, "cp1252")),)
    return None, codec or encoding.detect(path, "auto"), ()


def _decodes(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except UnicodeError:
        return False
    return True


def _frequent_share(raw: bytes, codec: str) -> float:
    """Share of the characters beyond ASCII that are in frequent use in this encoding."""
    low, high = _FREQUENT[codec]
    try:
        beyond = [mark for mark in raw[: 1 << 20].decode(codec, "ignore") if ord(mark) > 0x2E80]
        firsts = [mark.encode(codec)[0] for mark in beyond]
    except UnicodeError:
        return 0.0
    return sum(low <= first <= high for first in firsts) / len(firsts) if firsts else 0.0


def _sample(raw: bytes, codec: str) -> str:
    """The first words that are not ASCII, for a person to see whether they read right."""
    words = (
        word for line in raw[: 1 << 16].decode(codec, "ignore").splitlines() for word in re.split(r"[\s,;|]+", line)
    )
    return ", ".join(islice((word for word in words if not word.isascii()), 3))


def _delimiter(lines: list[str]) -> str:
    """The mark that cuts most lines into the same number of fields, and into the most."""
    if lines and lines[0].strip().lower().startswith("sep=") and len(lines[0].strip()) == len("sep=;"):
        return lines[0].strip()[-1]

    def regularity(mark: str) -> float:
        widths = [len(record) for record in _records(lines, mark) if record]
        usual = max(set(widths), key=widths.count, default=1)
        return 0.0 if usual == 1 else widths.count(usual) / len(widths) + math.log(usual) / 10

    return max(DELIMITERS, key=regularity)


def _records(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
    except csv.Error:
        return


def _header_row(lines: list[str], delimiter: str) -> int:
    """The record that reads most like a header: known names first, else the first as wide as the rows below it."""
    records = list(islice(_records(lines, delimiter), _HEADER_WITHIN + 1))
    filled = [sum(bool(cell.strip()) for cell in record) for record in records]
    usual = max((len(record) for record in records), default=1)
    known = known_keys()
    hits = [sum(header_key(cell) in known for cell in record) for record in records]
    # Data may hold names of columns, as a data dictionary does; a header stands once.
    named = [at for at, record in enumerate(records) if hits[at] >= max(2, filled[at] / 3)]
    if named and len(named) <= _REPEATED:
        return max(named, key=lambda at: (hits[at], -at)) + 1
    wide = (at for at, record in enumerate(records) if len(record) == usual and filled[at] >= usual * 0.6)
    return next(wide, 0) + 1


@cache
def known_keys() -> frozenset[str]:
    """Header keys of all entities: what marks a row as a header."""
    return frozenset(
        header_key(word) for columns in synonyms().values() for words in columns.values() for word in words
    )
