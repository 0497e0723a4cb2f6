"""JSON lines: one object a line, its values as text; a line that is no object is kept aside with its number."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from flows.ingest.readers import encoding
from flows.ingest.readers.batch import RAW, REASON, ROW, VALUE, Batch, FileRefused, Table, header_names
from flows.ingest.readers.delimited import RecordStream
from flows.ingest.readers.limits import COLUMNS, DUCKDB_MEMORY, JSON_LINE_BYTES

# A control character may not stand in JSON, so a "column" that ends at this one is the whole line.
_NO_DELIMITER = "\x01"
_SHOWN = 200


def open_json_lines(path: Path, *, declared_encoding: str = "auto", block_bytes: int = JSON_LINE_BYTES) -> Table:
    """Open a JSON-lines file; its columns are the keys of all its objects, and its first line is row 1.

    Raises:
        FileRefused: it cannot be decoded, or no line of it is a JSON object.
    """
    codec = encoding.detect(path, declared_encoding)
    keys: dict[str, None] = {}
    lines = 0
    with _connected() as connection:
        for frame in _lines(path, codec, block_bytes):
            lines += frame.height
            connection.register("lines", frame)
            found = connection.sql(
                "select distinct unnest(json_keys(line)) as key from lines where is_object order by key"
            )
            keys.update(dict.fromkeys(key for (key,) in found.fetchmany(COLUMNS + 1)))
            if len(keys) > COLUMNS:
                raise FileRefused(
                    f"Expected objects of at most {COLUMNS:,} different keys in all, found more by line {lines:,}: ids "
                    "or dates seem to stand where the names of fields should. Mend the export."
                )
    if lines and not keys:
        raise FileRefused("Expected one JSON object a line, found none.", rows=lines)
    columns, repeated = header_names(list(keys))
    return Table(
        columns=columns, repeated=repeated, read=partial(_read, path, codec, tuple(keys), columns, block_bytes)
    )


def _connected() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": DUCKDB_MEMORY})


def _lines(path: Path, codec: str, block_bytes: int) -> Iterator[pl.DataFrame]:
    """Lines that are not blank: ``ROW`` (counted without blank lines), ``line``, ``is_object``."""
    with encoding.open_utf8(path, codec) as stream, _connected() as connection:
        if not stream.peek(1):  # type: ignore[attr-defined]
            return
        try:
            records = RecordStream(stream, 1, 1, block_bytes, delimiter=_NO_DELIMITER, quote_char=False)
            for frame, broken in records:
                pieces = [frame.rename({"0": "line"})]
                if broken:
                    pieces.append(pl.DataFrame({"line": [text for _, text in broken], ROW: [row for row, _ in broken]}))
                connection.register("found", pl.concat(pieces).sort(ROW))
                yield connection.sql(
                    f"""
                    select
                        {ROW},
                        line,
                        coalesce(if(json_valid(line), json_type(line), null) = 'OBJECT', false) as is_object
                    from found
                    order by {ROW}
                    """  # noqa: S608 (a constant of ours)
                ).pl()
        except pa.ArrowInvalid as error:
            raise FileRefused(f"Expected lines of less than {block_bytes >> 20} MB, found a longer one.") from error


def _read(path: Path, codec: str, keys: tuple[str, ...], columns: tuple[str, ...], block_bytes: int) -> Iterator[Batch]:
    pointers = ", ".join(_quoted("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)
    picks = ", ".join(f'fields[{at}] as "{at}"' for at in range(1, len(keys) + 1))
    names = {str(at): name for at, name in enumerate(columns, start=1)}
    query = f"""
        select {ROW}, {picks}
        from (select {ROW}, json_extract_string(line, [{pointers}]) as fields from lines where is_object)
        order by {ROW}
    """  # noqa: S608 (names are quoted above)
    with _connected() as connection:
        for frame in _lines(path, codec, block_bytes):
            connection.register("lines", frame)
            rows = connection.sql(query).pl() if keys else pl.DataFrame(schema={ROW: pl.Int64})
            yield Batch(rows.rename(names), _faulty(frame))


def _faulty(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter(~pl.col("is_object")).select(
        ROW,
        pl.lit("not_json").alias(REASON),
        pl.col("line").str.head(_SHOWN).alias(VALUE),
        pl.struct(line="line").struct.json_encode().alias(RAW),
    )


def _quoted(text: str) -> Any:
    return "'" + text.replace("'", "''") + "'"
