"""Validation: every record of every landed file is accepted or quarantined, and the sums are proven."""

import shutil
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from flows.config.settings import Settings
from flows.config.sources import Source
from flows.config.stages import Stages
from flows.errors import PermanentError
from flows.ingest import no_records
from flows.ingest.accounting import FileAccount
from flows.ingest.border import Border
from flows.ingest.column_kinds import ColumnKinds
from flows.ingest.duplicates import settle_duplicates
from flows.ingest.finding import find_files
from flows.ingest.headers import header_key
from flows.ingest.judgement import Judged, judge_batch
from flows.ingest.landing import LandedFile
from flows.ingest.mapping import ColumnMapping
from flows.ingest.noticed import in_words
from flows.ingest.readers import open_table
from flows.ingest.readers.batch import NAMELESS, RAW, REASON, ROW, Batch, FileRefused, Table
from flows.ingest.rejected import SCHEMA, parquet_sink, quarantine_records
from flows.ingest.settled.comparison import Comparison
from flows.ingest.settled.exports import FIRST_ROW, Exports
from flows.ingest.tables import in_place
from flows.ingest.templates import NAMES, Recognised, mapped_source, recognise
from flows.workspace import Workspace
from schemas.registry import ENTITIES

JUDGES = 2
"""Batches of a file that are judged at the same time; each is held in memory until it is written."""


def validate(
    landed: Sequence[LandedFile],
    sources: Mapping[str, Source],
    settings: Settings,
    stages: Stages,
    workspace: Workspace,
    as_of: date,
    memory: Exports | None = None,
) -> list[FileAccount]:
    """Judge every record of the landed files; see ``judge``."""
    borders = borders_of(landed, sources, settings, stages, workspace, as_of)
    return judge(borders, sources, settings, stages, workspace, as_of, memory)


def judge(
    borders: Sequence[Border],
    sources: Mapping[str, Source],
    settings: Settings,
    stages: Stages,
    workspace: Workspace,
    as_of: date,
    memory: Exports | None = None,
) -> list[FileAccount]:
    """Judge every record of files with their mappings, and settle keys that occur more than once on a day.

    Writes ``build/accepted/<entity>/<file_id>.parquet``, ``build/rejected/<file_id>.parquet`` and, for what is no
    record, ``build/set_aside/<file_id>.parquet``, anew on each call. A file that is refused has no accepted file and
    one rejected record without a row; its entity then lacks rows that still exist, which must not count as deleted.
    With a ``memory`` of last night, rows that are settled by it are counted and neither judged nor written.

    Returns:
        One account a file in landed order, then one a source without a file; a source whose dated files are all
        recorded lacks none.

    Raises:
        ConfigError: a mapping cannot work.
        PermanentError: records of a file are not accounted for.
    """
    for folder in ("accepted", "rejected", "set_aside", "settled"):
        shutil.rmtree(workspace.build / folder, ignore_errors=True)
    landed = [border.file for border in borders]
    if memory:
        memory.files.update(file.source for file in landed)
    accounts = {border.file.file_id: _judge_file(border, memory) for border in borders}
    for snapshot in dict.fromkeys((border.file.entity, border.observed_on) for border in borders):
        of_snapshot = (border for border in borders if (border.file.entity, border.observed_on) == snapshot)
        judged = [border for border in of_snapshot if border.accepted.exists()]
        removed = settle_duplicates(judged, sources, settings.engine, workspace.build)
        for file_id, (quarantined, merged) in removed.items():
            account = accounts[file_id]
            accounts[file_id] = replace(
                account, rows_quarantined=account.rows_quarantined + quarantined, rows_merged=merged
            )
    proven = [_prove(accounts[border.file.file_id], border, memory) for border in borders]
    absent = (
        source
        for name, source in sources.items()
        if name not in {file.source for file in landed} and not (source.is_dated and any(find_files(source, as_of)))
    )
    shared = {sources[file.source].landed_as for file in landed if sources[file.source].template}
    return [
        *proven,
        *(
            _unused(_border_of(_nothing(source), source, settings, stages, workspace, as_of))
            if source.template and source.landed_as in shared
            else _missing(source, as_of)
            for source in absent
        ),
    ]


def borders_of(
    landed: Sequence[LandedFile],
    sources: Mapping[str, Source],
    settings: Settings,
    stages: Stages,
    workspace: Workspace,
    as_of: date,
) -> list[Border]:
    """The landed files, each with its mapping."""
    return [_border_of(file, sources[file.source], settings, stages, workspace, as_of) for file in landed]


def _border_of(
    file: LandedFile, source: Source, settings: Settings, stages: Stages, workspace: Workspace, as_of: date
) -> Border:
    """A landed file with its mapping, and where its judged rows lie."""
    source, rules = in_place(source, file.part), None
    if source.template and file.part and not file.refusal:
        found = recognise(file.part.columns, among=(source.entity,), stated=source.columns, ignore=source.ignore)
        assert isinstance(found, Recognised)  # noqa: S101 (landing has recognised it by the same header)
        source, rules = mapped_source(source, found, settings.reporting_currency, file.part.unit)
    entity = ENTITIES[file.entity]
    return Border(
        file=file,
        mapping=ColumnMapping(source, entity, stages.by_spelling, settings.time_zone, file.format, rules),
        as_of=as_of,
        accepted=workspace.build / "accepted" / file.entity / f"{file.file_id}.parquet",
        rejected=workspace.build / "rejected" / f"{file.file_id}.parquet",
        set_aside=workspace.build / "set_aside" / f"{file.file_id}.parquet",
    )


def _nothing(source: Source) -> LandedFile:
    """Stands for the tables of a template of which the files of its group hold none."""
    return LandedFile(f"none-{source.name}", source.name, source.entity, "", Path(), "", 0, "")


def _unused(border: Border) -> FileAccount:
    """A template that no table of its files fills: an export without rows, so that one that had some has shrunk."""
    with parquet_sink(border.accepted, border.accepted_schema):
        pass
    message = f"No table of the files is {NAMES[border.file.entity]}."
    return FileAccount(
        border.file.source, "", border.file.entity, "", None, "accepted", message, observed_on=border.as_of
    )


def _missing(source: Source, as_of: date) -> FileAccount:
    paths = ", ".join(source.paths(as_of))
    message = f"Expected a file at {paths}, found none. Check that the export ran, and `path` in sources.yaml."
    return FileAccount(source.name, "", source.entity, "", None, "missing", message)


def _judge_file(border: Border, memory: Exports | None) -> FileAccount:
    """Judge one file row by row, or refuse it as a whole."""
    file = border.file
    account = FileAccount(
        source=file.source,
        entity=file.entity,
        status="accepted",
        file=file.name,
        format=file.format,
        sha256=file.sha256,
        observed_on=border.observed_on,
    )
    try:
        if file.refusal:
            raise FileRefused(file.refusal, rows=file.refused_rows)  # noqa: TRY301 (refused like what shows on opening)
        table = open_table(file.path, file.format, border.mapping.source, file.part)
        if border.mapping.rules and file.format == "csv":
            table = no_records.as_sheet(table)
        account = replace(account, columns=dict.fromkeys(table.columns, ""), dialect=table.dialect)
        _check_header(table, border.mapping)
        settled = _judge_fresh(table, border, account, memory) if memory else None
        return settled or _judge_rows(table, border, account)
    except FileRefused as refusal:
        _write_refusal(border, str(refusal))
        return replace(
            account,
            status="refused",
            message=f"{file.name}: {refusal}",
            rows_in=refusal.rows,
            rows_quarantined=refusal.rows,
        )


def _check_header(table: Table, mapping: ColumnMapping) -> None:
    """Refuse a file that lacks a mapped column, or has one twice."""
    if not table.columns:
        return
    faults = []
    missing = mapping.missing(table.columns)
    if missing:
        found = ", ".join(map(repr, table.columns))
        faults.append(f"Expected the column {' and '.join(map(repr, missing))}, found only {found}.")
    twice = [name for name in mapping.source_columns if name in table.repeated]
    if twice:
        faults.append(f"Expected each column once, found {' and '.join(map(repr, twice))} more than once.")
    if faults:
        where = f"Sheet {table.sheet!r}: " if table.sheet else ""
        hint = f"{_alike(missing, table.columns)}Mend the export, or the mapping in sources.yaml."
        raise FileRefused(f"{where}{' '.join(faults)} {hint}", rows=table.count())


def _alike(missing: Sequence[str], columns: Sequence[str]) -> str:
    """Columns of the file that mean what is missing but are written otherwise: 客戶名稱 for 客户名称."""
    found = {header_key(name): name for name in columns}
    pairs = [f"{found[key]!r} for {name!r}" for name in missing if (key := header_key(name)) in found]
    return f"Perhaps {' and '.join(pairs)}. " if pairs else ""


def _judge_fresh(table: Table, border: Border, account: FileAccount, memory: Exports) -> FileAccount | None:
    """Judge the rows that are not settled; None where all have to be judged."""
    try:
        found = memory.compare(border, table)
        if found is None:
            return None
        judged = _judge_rows(found.fresh(), border, account, found)
        if found.add_conflicts():
            judged = _judge_rows(found.fresh(), border, account, found)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise  # a fault of ours, not of the file
    except (FileRefused, duckdb.Error):  # what is wrong with the file is told by reading all of it
        return None
    memory.keep(found)
    return judged


def _judge_rows(table: Table, border: Border, account: FileAccount, settled: Comparison | None = None) -> FileAccount:
    """Judge the rows of a table: all of a file, or those that are not settled."""
    rows_settled = settled.rows if settled else 0
    rows_in, quarantined = rows_settled, 0
    nameless: set[str] = set()
    notices: Counter[tuple[str, str]] = Counter()
    first_row = FIRST_ROW.get(border.file.format)
    kinds = ColumnKinds(first_row if border.mapping.source.header_row in (None, 1) else None)
    with (
        parquet_sink(border.accepted, border.accepted_schema, border.entity.key()) as accepted,
        parquet_sink(border.rejected, SCHEMA) as rejected,
        parquet_sink(border.set_aside, no_records.SCHEMA) as set_aside,
    ):
        for batch, judged in _judged(table, border):
            rows_in += batch.rows.height + batch.faulty.height
            accepted.write(judged.accepted)
            rejected.write(quarantine_records(judged.failures, border.file, table.sheet, border.as_of))
            set_aside.write(no_records.set_aside_records(batch.set_aside, border.file, table.sheet, border.as_of))
            quarantined += judged.failures[ROW].n_unique()
            nameless |= _filled_nameless(batch.rows)
            notices.update(judged.notices)
            notices.update(("", reason) for reason in batch.set_aside[REASON])
            if settled is None:
                kinds.see(batch.rows)
    for batch in settled.sample().read() if settled else ():
        kinds.see(batch.rows)
    unknown = tuple(
        name for name in border.mapping.unknown(table.columns) if not name.startswith(NAMELESS) or name in nameless
    )
    if not rows_in and border.mapping.source.mode == "full":
        notices["", "no_records"] = 1
    notice_en, notice_zh = in_words(notices, [border.file.beside] if border.file.beside else [])
    return replace(
        account,
        rows_in=rows_in,
        rows_settled=rows_settled,
        rows_quarantined=quarantined,
        rows_set_aside=set_aside.rows,
        unknown_columns=unknown,
        columns=kinds.of(table.columns),
        notice_en=notice_en,
        notice_zh=notice_zh,
    )


def _judged(table: Table, border: Border) -> Iterator[tuple[Batch, Judged]]:
    """Every batch with its judgement, in order; while one is read or written, the next ones are judged."""
    waiting: deque[tuple[Batch, Future[Judged]]] = deque()
    with ThreadPoolExecutor(JUDGES) as judges:
        for batch in table.read():
            waiting.append((batch, judges.submit(judge_batch, batch, border, date_1904=table.date_1904)))
            if len(waiting) > JUDGES:
                first, judgement = waiting.popleft()
                yield first, judgement.result()
        for first, judgement in waiting:
            yield first, judgement.result()


def _filled_nameless(rows: pl.DataFrame) -> set[str]:
    """Columns without a header that nevertheless hold something."""
    names = [name for name in rows.columns if name.startswith(NAMELESS)]
    return {name for name in names if (rows[name].cast(pl.String, strict=False).fill_null("") != "").any()}


def _write_refusal(border: Border, message: str) -> None:
    """One record for the whole file: no row, and the message in place of a value."""
    failure = pl.DataFrame(
        {ROW: None, "column": None, "value": message, "reason_code": "file_refused", "key": None, RAW: None},
        schema={
            ROW: pl.Int64,
            "column": pl.String,
            "value": pl.String,
            "reason_code": pl.String,
            "key": pl.String,
            RAW: pl.String,
        },
    )
    sheet = border.mapping.source.sheet
    with parquet_sink(border.rejected, SCHEMA) as rejected:
        rejected.write(quarantine_records(failure, border.file, sheet, border.as_of))


def _prove(account: FileAccount, border: Border, memory: Exports | None) -> FileAccount:
    """Count what lies in the written files, not what was meant to, and compare it with what came in."""
    if account.status == "refused":
        account.check()
        return account
    freshness = border.entity.freshness()
    columns = [pl.len().alias("stored"), *([pl.col(freshness).max().alias("freshest")] if freshness else [])]
    accepted = pl.scan_parquet(border.accepted).select(columns).collect().row(0, named=True)
    quarantined = pl.scan_parquet(border.rejected).select(pl.col("row").n_unique()).collect().item()
    settled = memory.compared.get(border.file.file_id) if memory else None
    freshest = accepted.get("freshest")
    proven = replace(
        account,
        rows_accepted=accepted["stored"] + account.rows_merged + account.rows_settled,
        rows_quarantined=quarantined,
        freshest_on=settled.freshest_on(freshest) if settled else freshest,
    )
    if quarantined != account.rows_quarantined:
        raise PermanentError(
            f"{account.file}: expected {account.rows_quarantined:,} quarantined rows in the quarantine, found "
            f"{quarantined:,}. This is a fault of planloop: please report it with the file."
        )
    proven.check()
    return proven
