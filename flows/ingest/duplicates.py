"""Keys that occur more than once in a night, across all files of an entity: keep what is certain, quarantine the rest.

1. Rows with the same key and the same content: the first in file order stays. The others are merged where their source
   says that rows repeat, and quarantined otherwise.
2. The same key with different contents: where the entity has ``modified_at`` and one content is the newest, it stays
   and the others are quarantined; otherwise nobody knows which is right, and all of them are quarantined.
3. Where all of them come from deltas, one record changed more than once since the last pull: the last in file order
   stays, and the others are merged into it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl

from flows.config.settings import Engine
from flows.config.sources import Source
from flows.ingest.border import Border
from flows.ingest.readers.batch import ROW
from flows.ingest.rejected import key_json
from flows.ingest.setaside import add_to_rejected, batches, rewrite

_MERGED = "merged"


def settle_duplicates(
    borders: Sequence[Border], sources: Mapping[str, Source], engine: Engine, build: Path
) -> dict[str, tuple[int, int]]:
    """Take surplus rows out of the accepted files of one entity, and put the quarantined ones into the rejected files.

    Args:
        borders: the judged files of one entity, in file order.
        sources: configured sources by name.
        engine: memory and threads.
        build: folder for what does not fit into memory.

    Returns:
        By file_id of each file that lost rows: rows quarantined, rows merged.
    """
    if not borders:
        return {}
    surplus = _surplus(borders, sources, engine, build)
    removed: dict[str, tuple[int, int]] = {}
    for border in borders:
        rows = surplus.filter(pl.col("file_id") == border.file.file_id)
        if rows.height:
            faulty = rows.filter(pl.col("verdict") != _MERGED)
            _quarantine(border, faulty)
            rewrite(border, _without(border, rows["_row"]))
            removed[border.file.file_id] = (faulty.height, rows.height - faulty.height)
    return removed


def _surplus(borders: Sequence[Border], sources: Mapping[str, Source], engine: Engine, build: Path) -> pl.DataFrame:
    """Rows that do not stay: ``file_id``, ``_row``, ``verdict`` and the key columns."""
    entity = borders[0].entity
    repeated = _repeated([border.accepted for border in borders], entity.key())
    if repeated.is_empty():
        return pl.DataFrame(schema={"file_id": pl.String(), "_row": pl.Int64(), "verdict": pl.String()})
    files = pl.DataFrame(
        {
            "file_id": [border.file.file_id for border in borders],
            "repeats": [sources[border.file.source].repeats for border in borders],
            "is_delta": [sources[border.file.source].mode == "delta" for border in borders],
        }
    )
    spill = build / "spill"
    with duckdb.connect(
        config={"memory_limit": engine.memory_limit, "threads": engine.threads, "temp_directory": str(spill)}
    ) as connection:
        connection.execute("set variable files = ?", [[str(border.accepted) for border in borders]])
        connection.register("repeated", repeated)
        connection.register("files", files)
        return connection.execute(_verdicts(list(entity.dtypes()), entity.key())).pl()


def _repeated(accepted: Sequence[Path], key: Sequence[str]) -> pl.DataFrame:
    """Places (``file``, ``_row``) of the rows whose key, by its hash, occurs more than once.

    Sorting eight bytes a row takes half the time of grouping them, and mostly there is nothing else to do.
    """
    hashed = pl.struct(key).hash() if len(key) > 1 else pl.col(key[0]).hash()
    rows = pl.scan_parquet(list(accepted), include_file_paths="file", missing_columns="insert", extra_columns="ignore")
    hashes = rows.select(hashed.alias("hash")).collect().to_series().sort()
    repeats = hashes.filter(hashes == hashes.shift(1)).unique()
    if repeats.is_empty():
        return pl.DataFrame(schema={"file": pl.String(), "_row": pl.Int64()})
    return rows.filter(hashed.is_in(repeats.implode())).select("file", "_row").collect()


def _verdicts(columns: Sequence[str], keys: Sequence[str]) -> str:
    """SQL for the rows that do not stay, among those that ``_repeated`` found."""
    key = ", ".join(keys)
    content = ", ".join(f"'{name}': rows.{name}" for name in columns)
    modified = "rows.modified_at" if "modified_at" in columns else "cast(null as timestamp)"
    return f"""
        with candidates as (
            select
                {", ".join(f"rows.{name}" for name in keys)},
                rows._row,
                parse_filename(rows.filename, true) as file_id,
                {modified} as modified_at,
                {{{content}}} as content
            from read_parquet(getvariable('files'), filename = true, union_by_name = true) as rows
            semi join repeated on rows.filename = repeated.file and rows._row = repeated._row
        ),

        ranked as (
            select
                *,
                dense_rank() over (partition by {key} order by content) as content_no,
                row_number() over (partition by {key}, content order by file_id, _row) as occurrence_no,
                row_number() over (partition by {key} order by file_id desc, _row desc) as from_last_no,
                modified_at is not distinct from max(modified_at) over (partition by {key}) as is_newest
            from candidates
        ),

        weighed as (
            select
                *,
                max(content_no) over (partition by {key}) as contents,
                max(modified_at) over (partition by {key}) is not null
                and min(content_no) filter (where is_newest) over (partition by {key})
                = max(content_no) filter (where is_newest) over (partition by {key}) as has_newest
            from ranked
        ),

        judged as (
            select
                weighed.*,
                case
                    when bool_and(files.is_delta) over (partition by {key})
                        then case when from_last_no = 1 then 'kept' else '{_MERGED}' end
                    when contents > 1 and not has_newest then 'ambiguous_duplicate'
                    when contents > 1 and not is_newest then 'duplicate_key'
                    when occurrence_no = 1 then 'kept'
                    when files.repeats then '{_MERGED}'
                    else 'duplicate_key'
                end as verdict
            from weighed
            inner join files on weighed.file_id = files.file_id
        )

        select file_id, _row, verdict, {key}
        from judged
        where verdict != 'kept'
        order by file_id, _row
    """  # noqa: S608 (columns of our own schema)


def _quarantine(border: Border, faulty: pl.DataFrame) -> None:
    """Append records for rows that were accepted at first; their source rows are read once more."""
    key = border.entity.key()
    origin = border.mapping.origin(key[0]) if len(key) == 1 else None
    failures = faulty.select(
        pl.col("_row").alias(ROW),
        pl.lit(origin, dtype=pl.String).alias("column"),
        pl.concat_str(pl.col(*key).cast(pl.String), separator=" / ").alias("value"),
        pl.col("verdict").alias("reason_code"),
        key_json(faulty, key),
    )
    add_to_rejected(border, failures)


def _without(border: Border, rows: pl.Series) -> Iterator[pl.DataFrame]:
    """The accepted rows of a file but for some, given in ascending order."""
    for batch in batches(border):
        first, last = batch["_row"].min(), batch["_row"].max()
        surplus = rows.filter((rows >= first) & (rows <= last))
        yield batch.filter(~pl.col("_row").is_in(surplus.implode())) if surplus.len() else batch
