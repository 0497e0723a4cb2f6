"""Judging the records of one batch: what the mapping could read and the entity's schema admits is accepted."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from flows.errors import PermanentError
from flows.ingest.border import Border
from flows.ingest.mapping import DELETED, FAILURES, ColumnMapping, Mapped, written
from flows.ingest.readers.batch import RAW, REASON, ROW, VALUE, Batch, Table
from flows.ingest.reasons import reason_of_check
from flows.ingest.rejected import key_json, raw_json
from schemas.base import Entity

_ADDED_UP = {
    *("amount", "cost", "paid_amount", "budget", "base", "stretch"),
    *("quantity", "units_received", "units_sold"),
}
"""Canonical columns of which the values of all rows are added up; a price or a rate may stand for several rows."""


@dataclass(frozen=True)
class Judged:
    """One batch after judgement.

    Attributes:
        accepted: rows in the accepted schema.
        failures: one row a faulty cell or broken record: ``ROW``, ``column``, ``value``, ``reason_code``, ``expected``,
            ``key``, ``RAW``.
        notices: by source column and code, the rows that were read by a rule that people should know of.
    """

    accepted: pl.DataFrame
    failures: pl.DataFrame
    notices: dict[tuple[str, str], int]


def judge_batch(batch: Batch, border: Border, *, date_1904: bool = False) -> Judged:
    """Judge the records of one batch; ``date_1904`` says how its workbook counts days."""
    mapping = border.mapping
    result = mapping.apply(batch.rows, date_1904=date_1904)
    cells = _cells_without_value(batch, mapping)
    shared = _shared_amounts(batch, result.frame, mapping)
    failures = pl.concat([cells, result.failures, _schema_failures(result, batch.rows, mapping), shared])
    # A value that could not be read is null, and would be reported a second time as not filled in.
    failures = failures.unique([ROW, "column"], keep="first", maintain_order=True)
    good = result.frame
    if result.deleted is not None:
        good = good.with_columns(result.deleted.alias(DELETED))
        failures = _that_matter(failures, good, mapping)
    if failures.height:
        bad = failures[ROW].unique()
        good = good.filter(~pl.col(ROW).is_in(bad.implode()))
        failures = _with_key_and_raw(failures, result.frame, batch.rows, border.entity.key())
    else:
        failures = failures.with_columns(key=pl.lit(None, pl.String), **{RAW: pl.lit(None, pl.String)})
    if batch.faulty.height:
        failures = pl.concat([failures, _broken_records(batch, mapping)]).sort(ROW, maintain_order=True)
    return Judged(_accepted(good, border), failures, result.notices)


def judged_again(table: Table, border: Border) -> Iterator[pl.DataFrame]:
    """Rows that have been accepted before, under the same configuration and code."""
    for batch in table.read():
        judged = judge_batch(batch, border)
        if judged.failures.height:
            found = judged.failures.head(3).select(ROW, "column", "reason_code").rows()
            message = f"{border.file.name}: expected rows that were accepted before, found {found}"
            raise PermanentError(f"{message}: a fault of planloop, please report it with the file.")
        yield judged.accepted


def _cells_without_value(batch: Batch, mapping: ColumnMapping) -> pl.DataFrame:
    """Mapped cells that show no value though one was meant: formulas never computed, errors."""
    faults = batch.cell_faults.filter(pl.col("column").is_in(mapping.source_columns))
    return faults.select(
        ROW, "column", pl.col(VALUE).alias("value"), "reason_code", pl.lit(None, dtype=pl.String).alias("expected")
    )


def _shared_amounts(batch: Batch, rows: pl.DataFrame, mapping: ColumnMapping) -> pl.DataFrame:
    """Amounts in cells that are merged over several records: each would count the whole, and nobody knows its part.

    Rows that are the same record, by its key, share nothing; they are settled with other duplicates.
    """
    names = {mapping.origin(name): column for name, column in mapping.source.columns.items() if name in _ADDED_UP}
    covered = batch.covered.filter(pl.col("column").is_in([name for name in names if name]))
    if covered.is_empty():
        return pl.DataFrame(schema=FAILURES)
    tops = covered.select(pl.col("top").alias(ROW), "column", "top").unique()
    keys = rows.select(ROW, key=pl.struct(mapping.entity.key()).hash())
    # A range of which the first row is not at hand was cut, or begins at a row that is no record.
    groups = pl.concat([covered, tops]).join(keys, on=ROW, how="left")
    one = (pl.col("key").n_unique() == 1) & (pl.col("key").null_count() == 0)
    shared = groups.filter(~one.over("column", "top")).filter(pl.col("key").is_not_null())
    return pl.concat(
        [
            raw.select(
                ROW,
                pl.lit(name, dtype=pl.String).alias("column"),
                written(raw, names[name]).alias("value"),
                pl.lit("shared_amount").alias("reason_code"),
                pl.lit(None, dtype=pl.String).alias("expected"),
            )
            for name in shared["column"].unique(maintain_order=True)
            if (raw := batch.rows.filter(pl.col(ROW).is_in(shared.filter(column=name)[ROW].implode()))).height
        ]
        or [pl.DataFrame(schema=FAILURES)]
    )


def _that_matter(failures: pl.DataFrame, rows: pl.DataFrame, mapping: ColumnMapping) -> pl.DataFrame:
    """Failures without those of deleted records in columns that are not of the key: nobody needs them any more."""
    needed = [mapping.origin(name) for name in mapping.entity.key()]
    needed.append(mapping.origin(DELETED))
    gone = rows.filter(DELETED)[ROW]
    needless = pl.col(ROW).is_in(gone.implode()) & ~pl.col("column").is_in(needed, nulls_equal=True)
    return failures.filter(~needless)


def _accepted(frame: pl.DataFrame, border: Border) -> pl.DataFrame:
    own = {
        "_source": pl.lit(border.file.source),
        "_file": pl.lit(border.file.name),
        "_row": pl.col(ROW),
        "_observed_on": pl.lit(border.observed_on),
    }
    return frame.with_columns(**own).select(*border.accepted_schema)


def _schema_failures(result: Mapped, raw: pl.DataFrame, mapping: ColumnMapping) -> pl.DataFrame:
    """Cells that the entity's schema does not admit, with what the source wrote there."""
    cases = _failure_cases(mapping.entity, result.frame.drop(ROW))
    pieces = [result.failures.clear()]
    for (canonical,), found in cases.group_by(["column"], maintain_order=True):
        column = mapping.origin_column(str(canonical))
        rows = raw[found["index"].cast(pl.UInt32)]
        pieces.append(
            found.select(
                rows[ROW],
                pl.lit(mapping.origin(str(canonical)), dtype=pl.String).alias("column"),
                (written(rows, column) if column else pl.Series([None], dtype=pl.String)).alias("value"),
                "reason_code",
                pl.lit(None, dtype=pl.String).alias("expected"),
            )
        )
    return pl.concat(pieces)


def _failure_cases(entity: type[Entity], frame: pl.DataFrame) -> pl.DataFrame:
    """``column``, ``index`` and ``reason_code`` of the cells that fail the schema.

    The frame is eager: on a lazy one pandera checks no data.
    """
    from pandera.errors import SchemaErrors

    try:
        entity.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return pl.DataFrame(schema={"column": pl.String, "index": pl.Int64, "reason_code": pl.String})
    if cases["index"].null_count():
        found = cases.filter(pl.col("index").is_null()).head(5).to_dicts()
        raise PermanentError(
            f"Expected mapped rows in the form of {entity.__name__}, found {found}: a fault of planloop."
        )
    checks = {check: reason_of_check(check) for check in cases["check"].unique()}
    return cases.select("column", "index", reason_code=pl.col("check").replace_strict(checks, return_dtype=pl.String))


def _with_key_and_raw(
    failures: pl.DataFrame, frame: pl.DataFrame, raw: pl.DataFrame, key: tuple[str, ...]
) -> pl.DataFrame:
    bad = failures.select(pl.col(ROW).unique())
    keys = frame.join(bad, on=ROW, how="semi", maintain_order="left")
    rows = raw.join(bad, on=ROW, how="semi", maintain_order="left")
    lookup = pl.DataFrame([keys[ROW], key_json(keys, key), raw_json(rows)])
    return failures.join(lookup, on=ROW, how="left", maintain_order="left").sort(ROW, maintain_order=True)


def _broken_records(batch: Batch, mapping: ColumnMapping) -> pl.DataFrame:
    """Records that are no rows of the table, with their key where its fields can still be read."""
    faulty = batch.faulty
    absent = [name for name in mapping.source_columns if name not in faulty.columns]
    raw = faulty.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    keys = key_json(mapping.apply(raw.drop(REASON, VALUE, RAW)).frame, mapping.entity.key())
    return faulty.select(
        ROW,
        pl.lit(None, pl.String).alias("column"),
        pl.col(VALUE).alias("value"),
        pl.col(REASON).alias("reason_code"),
        pl.lit(None, dtype=pl.String).alias("expected"),
        keys,
        pl.col(RAW),
    )
