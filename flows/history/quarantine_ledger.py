"""The record of every row that was ever quarantined: since when, until when, and how it healed.

``quarantine/rows/<night>.parquet`` holds the rows that are faulty tonight and those that healed tonight; the newest
line of a row counts. It is staged with the night and committed with it: a night that was killed or refused leaves
nothing.

A row is known by its source and key. Where the key cannot be read it is known by what stands in it, and, where several
rows hold the same, by which of them it is; a file that could not be used is known by its name.

A row heals when its source has been read again without setting it aside: it was **accepted**; it was **mended** in its
file (a row without a readable key, in whose place an accepted one stands); or it is **gone** from its source. What a
source does not deliver has not healed: an export that is missing or refused, a record that a delta leaves out.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names and of quoted literals)

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl

from flows.history.change_log import EntityColumns, literal, quoted
from flows.history.durable import replace_file
from flows.ingest.accounting import FileAccount
from flows.workspace import Workspace

LEDGER: dict[str, pl.DataType] = {
    "row_id": pl.String(),
    "source": pl.String(),
    "entity": pl.String(),
    "file": pl.String(),
    "sheet": pl.String(),
    "row": pl.Int64(),
    "key": pl.String(),
    "column": pl.String(),
    "value": pl.String(),
    "reason_code": pl.String(),
    "cells": pl.Int64(),
    "first_seen_on": pl.Date(),
    "last_seen_on": pl.Date(),
    "healed_on": pl.Date(),
    "healed_by": pl.String(),
    "relapses": pl.Int64(),
}
"""One line per row: its place, key and first faulty cell as last seen; ``cells`` is the number of faulty cells.

``healed_by`` is accepted, mended or gone; null while the row is open. ``relapses`` counts how often it was faulty again
after it had healed; ``first_seen_on`` stays that of the first time.
"""

_PLACE = ("source", "entity", "file", "sheet", "row")


def staged_ledger(workspace: Workspace) -> Path:
    """Where tonight's lines wait for the night to be committed."""
    return workspace.build / "night" / "_quarantine_rows.parquet"


def ledger_file(workspace: Workspace, as_of: date) -> Path:
    """The lines of one night."""
    return workspace.quarantine / "rows" / f"{as_of.isoformat()}.parquet"


def read_ledger(workspace: Workspace, until: date | None = None) -> pl.DataFrame:
    """The newest line of every row, columns ``LEDGER``, ordered by source, file and row.

    Args:
        workspace: where the nights are.
        until: only nights up to this one.
    """
    files = sorted((workspace.quarantine / "rows").glob("????-??-??.parquet"))
    nights = [path for path in files if until is None or date.fromisoformat(path.stem) <= until]
    frames = [pl.DataFrame(schema=LEDGER), *(pl.read_parquet(path) for path in nights)]
    lines = pl.concat(frames).unique("row_id", keep="last", maintain_order=True)
    return lines.sort("source", "file", "row", "row_id", nulls_last=False)


def stage_ledger(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    as_of: date,
    cells: pl.DataFrame,
    files: Sequence[FileAccount],
    modes: Mapping[str, str],
) -> pl.DataFrame:
    """Write tonight's lines beside the staged night.

    Args:
        connection: an engine with its limits set.
        workspace: holds the accepted rows of tonight in ``build/accepted``.
        as_of: the night.
        cells: tonight's quarantined cells.
        files: tonight's accounting.
        modes: full, append or delta by source.

    Returns:
        The lines: faulty tonight or healed tonight.
    """
    before = read_ledger(workspace, as_of - timedelta(days=1))
    seen = _seen(cells, as_of)
    healed = _healed(connection, workspace, before.join(seen, on="row_id", how="anti"), files, modes)
    lines = pl.concat([_continued(seen, before), healed.with_columns(healed_on=pl.lit(as_of)).select(list(LEDGER))])
    replace_file(staged_ledger(workspace), lines.write_parquet)
    return lines


def with_row_id(cells: pl.DataFrame) -> pl.DataFrame:
    """Quarantined cells with ``row_id``; cells of one row have the same."""
    places = cells.select(*_PLACE, "key", "raw").unique(_PLACE, keep="first", maintain_order=True)
    content = pl.when(pl.col("row").is_null()).then(pl.lit("file")).otherwise(pl.col("raw").fill_null(""))
    numbered = places.with_columns(content=content).with_columns(
        # Rows of the same content without a key are told apart by their order; a file by its name.
        turn=pl.int_range(pl.len()).over("source", "sheet", "content", pl.col("file").is_null()).cast(pl.String),
    )
    by_key = pl.concat_str(pl.lit("key"), "source", "key", separator="\x1f")
    by_file = pl.concat_str(pl.lit("file"), "source", "file", separator="\x1f")
    by_content = pl.concat_str(
        pl.lit("row"), "source", pl.col("sheet").fill_null(""), "content", "turn", separator="\x1f"
    )
    identity = pl.when(pl.col("row").is_null()).then(by_file).otherwise(pl.coalesce(by_key, by_content))
    ids = numbered.select(*_PLACE, row_id=identity.map_batches(_digest, return_dtype=pl.String))
    return cells.join(ids, on=_PLACE, how="left", nulls_equal=True, maintain_order="left")


def _digest(texts: pl.Series) -> pl.Series:
    """A hash that stays the same for ever, of each text."""
    with duckdb.connect() as connection:
        connection.register("texts", texts.to_frame("text"))
        return connection.execute("select left(sha256(text), 24) as row_id from texts").pl()["row_id"]


def _seen(cells: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Tonight's faulty rows, one line each."""
    return (
        with_row_id(cells)
        .group_by("row_id", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in (*_PLACE, "key", "column", "value", "reason_code")),
            cells=pl.len().cast(pl.Int64),
        )
        .with_columns(last_seen_on=pl.lit(as_of))
    )


def _continued(seen: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Lines of the rows that are faulty tonight: new, still open, or faulty again."""
    known = before.select("row_id", "first_seen_on", "relapses", was_healed=pl.col("healed_on").is_not_null())
    return seen.join(known, on="row_id", how="left", maintain_order="left").select(
        pl.coalesce("first_seen_on", "last_seen_on").alias(name)
        if name == "first_seen_on"
        else (pl.col("relapses").fill_null(0) + pl.col("was_healed").fill_null(value=False)).alias(name)
        if name == "relapses"
        else pl.lit(None, dtype=dtype).alias(name)
        if name in ("healed_on", "healed_by")
        else pl.col(name).cast(dtype)
        for name, dtype in LEDGER.items()
    )


def _healed(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    unseen: pl.DataFrame,
    files: Sequence[FileAccount],
    modes: Mapping[str, str],
) -> pl.DataFrame:
    """Open rows that were not faulty tonight, and how they healed; those of sources not read tonight are not healed."""
    still_open = unseen.filter(pl.col("healed_on").is_null())
    arrived = {file.source for file in files if file.status == "accepted"}
    complete = {
        source
        for source in arrived
        if modes.get(source) == "full" and all(file.status == "accepted" for file in files if file.source == source)
    }
    asked = still_open.filter(pl.col("source").is_in(sorted(arrived)))
    accepted = _accepted_keys(connection, workspace, asked)
    mended = _accepted_places(connection, workspace, asked, files)
    how = (
        pl.when(pl.col("row_id").is_in(accepted.implode()))
        .then(pl.lit("accepted"))
        .when(pl.col("row_id").is_in(mended.implode()))
        .then(pl.lit("mended"))
        .when(pl.col("source").is_in(sorted(complete)))
        .then(pl.lit("gone"))
    )
    return asked.with_columns(healed_by=how).filter(pl.col("healed_by").is_not_null())


def _accepted_keys(connection: duckdb.DuckDBPyConnection, workspace: Workspace, asked: pl.DataFrame) -> pl.Series:
    """``row_id`` of the rows whose key is among tonight's accepted rows of their source."""
    found = [pl.Series("row_id", [], dtype=pl.String)]
    for (entity,), rows in asked.filter(pl.col("key").is_not_null()).group_by(["entity"], maintain_order=True):
        files = _accepted(workspace, str(entity))
        if not files:
            continue
        columns = EntityColumns.of(str(entity))
        connection.register("asked_rows", rows.select("row_id", "source", "key"))
        parts = ", ".join(
            f"try_cast(json_extract_string(key, {literal('$.' + quoted(name))}) as {columns.types[name]}) "
            f"as {quoted(name)}"
            for name in columns.key
        )
        agree = " and ".join(f"asked.{quoted(name)} = accepted.{quoted(name)}" for name in columns.key)
        found.append(
            connection.execute(
                f"select row_id from (select row_id, source, {parts} from asked_rows) as asked "
                f"semi join read_parquet({files!r}, union_by_name = true) as accepted "
                f"on asked.source = accepted._source and {agree}"
            ).pl()["row_id"]
        )
    return pl.concat(found)


def _accepted_places(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, asked: pl.DataFrame, files: Sequence[FileAccount]
) -> pl.Series:
    """``row_id`` of rows without a key in whose place an accepted row stands, and of files that can be used now."""
    usable = pl.DataFrame(
        [(file.source, file.file) for file in files if file.status == "accepted"],
        schema={"source": pl.String, "file": pl.String},
        orient="row",
    )
    mended = asked.filter(pl.col("row").is_null()).join(usable, on=["source", "file"], how="semi")
    found = [mended["row_id"]]
    keyless = asked.filter(pl.col("row").is_not_null() & pl.col("key").is_null())
    for (entity,), rows in keyless.group_by(["entity"], maintain_order=True):
        accepted = _accepted(workspace, str(entity))
        if accepted:
            connection.register("asked_rows", rows.select("row_id", "source", "file", "row"))
            found.append(
                connection.execute(
                    "select row_id from asked_rows "
                    f"semi join read_parquet({accepted!r}, union_by_name = true) as accepted "
                    "on asked_rows.source = accepted._source and asked_rows.file = accepted._file "
                    'and asked_rows."row" = accepted._row'
                ).pl()["row_id"]
            )
    return pl.concat(found)


def _accepted(workspace: Workspace, entity: str) -> list[str]:
    return [str(path) for path in sorted((workspace.build / "accepted" / entity).glob("*.parquet"))]
