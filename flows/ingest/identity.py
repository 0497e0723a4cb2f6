"""Identity: names, mails and ids that rows write become the ids of the customers, people and deals they mean.

Exact ids stay. Names follow the rule of ``flows.ingest.names``, the order of ``flows.ingest.matching``. What is
ambiguous is quarantined with its candidates; a name that nobody bears is a new customer, and stays without an id. An id
or mail that names nobody is kept as it is written, and told.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names)

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from flows.config.settings import Engine, Settings
from flows.config.sources import Source
from flows.ingest.accounting import FileAccount
from flows.ingest.border import Border
from flows.ingest.directory import Directory, LastKnown
from flows.ingest.judgement import judged_again
from flows.ingest.matching import SUBJECT, verdicts
from flows.ingest.readers.batch import ROW
from flows.ingest.rejected import key_json
from flows.ingest.setaside import add_to_rejected, batches, rewrite
from schemas.base import Entity

if TYPE_CHECKING:
    from flows.ingest.settled.exports import Exports

EVENTS = {"activity": "occurred_on", "store_visit": "visited_on"}
"""Entities whose owner is who did it then; everywhere else it is who has it tonight."""
_DEALS_OF = ("contract", "requirement", "objection", "line_item")
"""Entities that people fill in, and name the deal in; the others take its id from the CRM."""
_REFERENCES = (
    ("owner", "owner_id", "owner_name"),
    ("owner", "manager_id", None),
    ("account", "account_id", "account_name"),
    ("account", "parent_id", None),
    ("opportunity", "opportunity_id", None),
)
_TOLD = 3
_KIND_ZH = {"owner": "负责人", "account": "客户", "opportunity": "商机"}


@dataclass(frozen=True)
class Reference:
    """A column of an entity that names somebody: by id, or by a name in another column.

    Attributes:
        kind: owner, account or opportunity.
        id_column: holds the id in the end.
        name_column: holds the name as written; None where the id's column is all there is.
        on_column: the day on which the person named was at work; None: tonight.
    """

    kind: str
    id_column: str
    name_column: str | None
    on_column: str | None

    @property
    def columns(self) -> list[str]:
        """The columns that a verdict depends on."""
        return [name for name in (self.id_column, self.name_column, self.on_column) if name]


def references(name: str, entity: type[Entity]) -> list[Reference]:
    """The columns of an entity in which somebody is named."""
    columns = entity.dtypes()
    return [
        Reference(
            kind, id_column, by_name if by_name in columns else None, EVENTS.get(name) if kind == "owner" else None
        )
        for kind, id_column, by_name in _REFERENCES
        if id_column in columns and id_column not in entity.key() and (kind != "opportunity" or name in _DEALS_OF)
    ]


def resolve(
    borders: Sequence[Border],
    accounts: Sequence[FileAccount],
    sources: Mapping[str, Source],
    settings: Settings,
    build: Path,
    last_known: LastKnown,
    memory: "Exports | None" = None,
) -> list[FileAccount]:
    """Fill in ids, and quarantine what is ambiguous, in the accepted files of tonight.

    Args:
        borders: the judged files.
        accounts: what became of them, and of sources without a file.
        sources: configured sources by name.
        settings: the company's; ``identity.names`` says how far names are compared.
        build: holds the accepted and rejected files, and what does not fit into memory.
        last_known: the state before tonight.
        memory: of last night; what it settles is judged after all where it names an id that tonight does not know, and
            what is accepted is written down for the next night.

    Returns:
        The accounts, balanced again, with what was told about ids that name nobody.
    """
    judged = [border for border in borders if border.accepted.exists()]
    if not judged:
        return list(accounts)
    by_place = {(account.source, account.file): account for account in accounts}
    with _engine(settings.engine, build) as connection:
        directory = Directory(
            connection,
            accepted=_by_entity(judged),
            rejected=tuple(border.rejected for border in judged),
            last_known=last_known,
            replaced=_replaced(accounts, sources),
        )
        # People first: their managers are among themselves. Then customers; all others name both.
        for name in sorted(_by_entity(judged), key=lambda entity: (entity != "user", entity != "account")):
            ours = [border for border in judged if border.file.entity == name]
            for border in ours:
                place = border.file.source, border.file.name
                by_place[place] = _unsettled(border, by_place[place], memory, directory)
            found = [(reference, _look_up(reference, ours, directory, settings)) for reference in _asked_of(ours)]
            for border in ours:
                place = border.file.source, border.file.name
                mine = [(reference, _of(border, frame)) for reference, frame in found]
                again = [(reference.columns, frame) for reference, frame in mine if frame.height]
                if memory:
                    memory.remember(border, by_place[place], again)
                rows = _apply(border, [(reference, frame) for reference, frame in mine if _changes(frame)])
                by_place[place] = _balanced(by_place[place], rows, _told(border, mine))
    return list(by_place.values())


def _unsettled(border: Border, account: FileAccount, memory: "Exports | None", directory: Directory) -> FileAccount:
    """The account of a file once its settled rows are judged that name an id that tonight does not know."""
    found = memory.compared.get(border.file.file_id) if memory else None
    if found is None:
        return account
    before = found.rows
    for reference in _asked_of([border]):
        if directory.is_empty(reference.kind):
            continue
        ids = found.connection.execute(found.named(reference.id_column)).pl()
        directory.connection.register("settled_ids", ids)
        unknown = directory.unknown_ids(reference.kind, "select id from settled_ids")
        found.connection.register("unknown_ids", unknown.to_frame("id"))
        table = found.in_doubt(reference.id_column, "select id from unknown_ids")
        if table:
            rewrite(border, chain(batches(border), judged_again(table, border)))
    return replace(account, rows_settled=account.rows_settled - (before - found.rows))


def _asked_of(borders: Sequence[Border]) -> list[Reference]:
    return references(borders[0].file.entity, borders[0].entity)


def _engine(engine: Engine, build: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "memory_limit": engine.memory_limit,
            "threads": engine.threads,
            "temp_directory": str(build / "spill"),
        }
    )


def _by_entity(borders: Sequence[Border]) -> dict[str, tuple[Path, ...]]:
    entities = dict.fromkeys(border.file.entity for border in borders)
    return {entity: tuple(border.accepted for border in borders if border.file.entity == entity) for entity in entities}


def _replaced(accounts: Sequence[FileAccount], sources: Mapping[str, Source]) -> frozenset[str]:
    """Full sources of which every file was accepted tonight."""
    arrived = {account.source for account in accounts if account.status == "accepted"}
    lacking = {account.source for account in accounts if account.status != "accepted"}
    return frozenset(name for name in arrived - lacking if name in sources and sources[name].mode == "full")


def _look_up(reference: Reference, borders: Sequence[Border], directory: Directory, settings: Settings) -> pl.DataFrame:
    """What is written where an id is wanted, but for known ids, with the verdict on it.

    Returns:
        ``_source``, ``_file``, the reference's columns, ``rows``, ``written``, ``found_id``, ``is_ambiguous``,
        ``candidates``.
    """
    connection, written = directory.connection, _written(reference, borders)
    is_known = not directory.is_empty(reference.kind)
    # Where nobody is known, an id cannot be told from a name: it stays as it is.
    unknown = pl.Series("id", [], dtype=pl.String)
    if is_known:
        unknown = directory.unknown_ids(reference.kind, f"select {reference.id_column} as id from {written}")
    if unknown.is_empty() and reference.name_column is None:
        return _NOBODY_ASKED
    connection.register("unknown_ids", unknown.to_frame("id"))
    asked = connection.execute(
        f"""
        select _source, _file, {", ".join(reference.columns)}, written, count(*) as rows
        from (select *, coalesce({reference.id_column}, {reference.name_column or "null"}) as written from {written})
        where written <> '' and ({reference.id_column} is null or {reference.id_column} in (from unknown_ids))
        group by all
        order by all
        """
    ).pl()
    if asked.is_empty():
        return _NOBODY_ASKED
    connection.register("asked_by_name", asked.filter(pl.col(reference.id_column).is_null()))
    no_ids = directory.unknown_ids(reference.kind, "select written as id from asked_by_name")
    # An id that was written where a name belongs is an id.
    asked = asked.with_columns(is_id=pl.col(reference.id_column).is_null() & ~pl.col("written").is_in(no_ids.implode()))
    subjects = asked.filter(~pl.col("is_id")).select(
        kind=pl.lit(reference.kind),
        source="_source",
        written="written",
        on=pl.col(reference.on_column) if reference.on_column else pl.lit(None, dtype=pl.Date),
    ).unique(maintain_order=True)  # fmt: skip
    found = verdicts(
        subjects.select(pl.col(name).cast(dtype) for name, dtype in SUBJECT.items()),
        directory,
        borders[0].as_of,
        names=settings.identity.names,
    )
    on = [pl.col("_source"), pl.col("written"), *([pl.col(reference.on_column)] if reference.on_column else [])]
    verdict = found.select(
        pl.col("source").alias("_source"),
        "written",
        *([pl.col("on").alias(reference.on_column)] if reference.on_column else []),
        "found_id",
        "is_ambiguous",
        "candidates",
    )
    return asked.join(verdict, on=on, how="left", nulls_equal=True, maintain_order="left").with_columns(
        found_id=pl.when("is_id").then("written").otherwise("found_id"),
        is_ambiguous=pl.col("is_ambiguous").fill_null(value=False),
    )


def _written(reference: Reference, borders: Sequence[Border]) -> str:
    """The accepted rows with the columns that name somebody, as DuckDB reads them."""
    files = [str(border.accepted) for border in borders]
    return f"(select _source, _file, {', '.join(reference.columns)} from read_parquet({files!r}, union_by_name = true))"


_NOBODY_ASKED = pl.DataFrame(
    schema={"_source": pl.String(), "_file": pl.String(), "found_id": pl.String(), "is_ambiguous": pl.Boolean()}
)


def _of(border: Border, found: pl.DataFrame) -> pl.DataFrame:
    return found.filter((pl.col("_source") == border.file.source) & (pl.col("_file") == border.file.name))


def _changes(found: pl.DataFrame) -> bool:
    return bool((found["found_id"].is_not_null() | found["is_ambiguous"]).any())


def _apply(border: Border, found: Sequence[tuple[Reference, pl.DataFrame]]) -> int:
    """Write ids into the accepted rows and take ambiguous rows out of them; the number of rows taken out."""
    if not found:
        return 0
    failures: list[pl.DataFrame] = []
    rewrite(border, _resolved(border, found, failures))
    if not failures:
        return 0
    faulty = pl.concat(failures)
    add_to_rejected(border, faulty)
    return faulty[ROW].n_unique()


def _resolved(
    border: Border, found: Sequence[tuple[Reference, pl.DataFrame]], failures: list[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The accepted rows with ids, without ambiguous ones; those are added to ``failures``."""
    columns = list(border.accepted_schema)
    for batch in batches(border):
        frame = batch.with_columns(_ambiguous=pl.lit(value=False))
        for reference, verdict in found:
            answer = verdict.select(*reference.columns, "written", "found_id", "is_ambiguous", "candidates")
            joined = frame.join(answer, on=reference.columns, how="left", nulls_equal=True, maintain_order="left")
            ambiguous = joined.filter("is_ambiguous")
            if ambiguous.height:
                failures.append(_failures(ambiguous, reference, border))
            frame = joined.with_columns(
                pl.coalesce("found_id", reference.id_column).alias(reference.id_column),
                _ambiguous=pl.col("_ambiguous") | pl.col("is_ambiguous").fill_null(value=False),
            ).drop("written", "found_id", "is_ambiguous", "candidates")
        yield frame.filter(~pl.col("_ambiguous")).select(columns)


def _failures(ambiguous: pl.DataFrame, reference: Reference, border: Border) -> pl.DataFrame:
    by_name = pl.col(reference.id_column).is_null()
    origin_of_name = border.mapping.origin(reference.name_column) if reference.name_column else None
    return ambiguous.select(
        pl.col("_row").alias(ROW),
        pl.when(by_name)
        .then(pl.lit(origin_of_name, dtype=pl.String))
        .otherwise(pl.lit(border.mapping.origin(reference.id_column), dtype=pl.String))
        .alias("column"),
        pl.col("written").alias("value"),
        pl.lit("ambiguous_name").alias("reason_code"),
        key_json(ambiguous, border.entity.key()),
        "candidates",
    )


def _told(border: Border, found: Sequence[tuple[Reference, pl.DataFrame]]) -> list[tuple[str, str]]:
    """What is to be said about ids that name nobody, one sentence a column, in English and Chinese."""
    said = []
    for reference, verdict in found:
        if verdict.is_empty():
            continue
        nobody = verdict.filter(
            pl.col(reference.id_column).is_not_null() & pl.col("found_id").is_null() & ~pl.col("is_ambiguous")
        )
        if nobody.is_empty():
            continue
        ids, rows = nobody[reference.id_column].unique(maintain_order=True), int(nobody["rows"].sum())
        shown, more = ", ".join(map(repr, ids.head(_TOLD))), max(0, len(ids) - _TOLD)
        column = border.mapping.origin(reference.id_column) or reference.id_column
        english = f"{column}: no {reference.kind} is known as {shown}"
        english += f" and {more:,} more" if more else ""
        chinese = (
            f"{column}：没有编号或名称为 {shown} {f'等 {len(ids):,} 个' if more else ''}的{_KIND_ZH[reference.kind]}"
        )
        said.append((f"{english} ({rows:,} {'row' if rows == 1 else 'rows'})", f"{chinese}（{rows:,} 行）"))
    return said


def _balanced(account: FileAccount, quarantined: int, said: Sequence[tuple[str, str]]) -> FileAccount:
    """The account after some of its accepted rows were quarantined."""
    balanced = replace(
        account,
        rows_accepted=account.rows_accepted - quarantined,
        rows_quarantined=account.rows_quarantined + quarantined,
        notice_en="; ".join(filter(None, [account.notice_en, *(english for english, _ in said)])) or None,
        notice_zh="；".join(filter(None, [account.notice_zh, *(chinese for _, chinese in said)])) or None,
    )
    balanced.check()
    return balanced
