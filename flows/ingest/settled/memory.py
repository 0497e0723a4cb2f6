"""What a night accepted of a source, one line a row, as the next night needs it; two files under ``settled/<source>``.

========== ============================================================================================================
record     hash of the record as it stood in the file; null where the row has to be judged again whatever it looks like
key        hash of its key; null in a line of ``since`` that says that this record of ``base`` is not accepted any more
day        the entity's freshness date
…          the columns in which somebody is named by id
========== ============================================================================================================

``<night>.base.parquet`` is what some night accepted, whole; it is handed from night to night as it is. What differs
from it stands in ``<night>.parquet``, ``since``: lines that the base lacks, and records of it that are out of date.

A memory is part of its night: it is staged with it and committed with it. It holds only under the configuration and
code that it was made by, only for the night after, and only if that night's accounting names the file that it is of.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.history.durable import link_or_copy
from flows.ingest.border import Border
from flows.ingest.identity import references
from flows.workspace import Workspace
from schemas.base import Entity

_MADE_BY, _FILE, _BASE, _IS_NEW = "planloop_settled", "planloop_file", "planloop_base", "planloop_base_is_new"
_SQL_TYPES = {pl.String: "varchar", pl.Date: "date", pl.Datetime: "timestamp"}


@dataclass(frozen=True)
class LastNight:
    """The newest night recorded before tonight.

    Attributes:
        day: its date.
        accepted: by source, the SHA-256 of the files that it accepted.
    """

    day: date
    accepted: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Memory:
    """The two files of a memory."""

    base: Path
    since: Path

    def exists(self) -> bool:
        """Whether there is one."""
        return self.base.exists() and self.since.exists()

    def holds(self, made_by: str, accepted: Sequence[str]) -> bool:
        """Whether it can be gone by; one that is damaged cannot.

        Args:
            made_by: configuration, code and shape of the file that it has to be made by.
            accepted: SHA-256 of the files that its night accepted of its source.
        """
        try:
            base, since = (pq.read_schema(path).metadata or {} for path in (self.base, self.since))
        except (OSError, pa.ArrowException):
            return False
        same = {notes.get(_MADE_BY.encode()) for notes in (base, since)} == {made_by.encode()}
        of_base = base.get(_FILE.encode()) == since.get(_BASE.encode())
        return same and of_base and [since.get(_FILE.encode(), b"").decode()] == list(accepted)

    def lines(self) -> tuple[int, int]:
        """How many lines its base has, and how many ``since``."""
        return pq.read_metadata(self.base).num_rows, pq.read_metadata(self.since).num_rows

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make it the view ``memory`` of a connection, a line an accepted row."""
        # Rows that have to be judged again stand in a base for one night; from then on they stand in ``since``.
        is_new = _IS_NEW.encode() in (pq.read_schema(self.since).metadata or {})
        connection.execute(
            f"""
            create view since as select * from read_parquet({literal(self.since)});
            create view memory as
            select base.* from read_parquet({literal(self.base)}) as base
            anti join (select record from since where key is null) as outdated on base.record = outdated.record
            where base.record is not null or {is_new}
            union all by name
            select * from since where key is not null
            """
        )


def memory_of(workspace: Workspace, source: str, night: date) -> Memory:
    """The memory of a recorded night."""
    folder = workspace.settled / source
    return Memory(folder / f"{night}.base.parquet", folder / f"{night}.parquet")


def memories_but_of(workspace: Workspace, night: date | None) -> list[Path]:
    """The files of the memories of all nights but one."""
    return [path for path in sorted(workspace.settled.glob("*/*.parquet")) if path.name.partition(".")[0] != str(night)]


def staged_memory(workspace: Workspace, source: str) -> Memory:
    """Tonight's memory, until the night is committed."""
    folder = _staged(workspace) / source
    return Memory(folder / "base.parquet", folder / "since.parquet")


def drop_staged(workspace: Workspace, source: str) -> None:
    """Leave no memory of a source tonight."""
    memory = staged_memory(workspace, source)
    memory.since.unlink(missing_ok=True)
    memory.base.unlink(missing_ok=True)


def staged_moves(workspace: Workspace, night: date) -> list[tuple[Path, Path]]:
    """The files of tonight's memories, each with its place once the night is committed."""
    moves = []
    for since in sorted(_staged(workspace).glob("*/since.parquet")):
        staged, final = staged_memory(workspace, since.parent.name), memory_of(workspace, since.parent.name, night)
        moves += [(staged.base, final.base), (staged.since, final.since)]
    return moves


def _staged(workspace: Workspace) -> Path:
    return workspace.build / "settled" / "memory"


def asked_file(workspace: Workspace, border: Border) -> Path:
    """Hashes of the keys that are to be compared with the state tonight, beside those of the accepted rows."""
    return _asked(workspace, border.file.entity) / f"{border.file.file_id}.parquet"


def asked_files(workspace: Workspace, entity: str) -> list[Path]:
    """The same of all files of an entity of which rows are settled; none where all rows were judged."""
    return sorted(_asked(workspace, entity).glob("*.parquet"))


def _asked(workspace: Workspace, entity: str) -> Path:
    return workspace.build / "settled" / "asked" / entity


@dataclass(frozen=True)
class Writing:
    """Writing what tonight leaves in memory.

    Attributes:
        connection: has the tables ``again`` (``_row`` of accepted rows that are to be judged again) and ``quarantined``
            (``key`` of tonight's quarantined rows).
        border: the file, with its accepted rows.
        numbered: table with ``row_no`` and ``record`` of the records that were judged.
        made_by: what the memory holds under.
        target: the staged files.
    """

    connection: duckdb.DuckDBPyConnection
    border: Border
    numbered: str
    made_by: str
    target: Memory

    def whole(self, settled: str | None) -> None:
        """Write all of it as a base.

        Args:
            settled: a select of the last memory's lines that are settled; None where there are none.
        """
        remaining = f"""
            select * replace (case when quarantined.key is null then record end as record)
            from ({settled}) as settled left join quarantined using (key)
            union all by name
        """
        self._copy(f"{remaining if settled else ''} {self._judged()}", self.target.base, {})
        self._copy(f"{self._judged()} limit 0", self.target.since, {_BASE: self.border.file.sha256, _IS_NEW: "yes"})

    def what_differs(self, settled: str, before: Memory) -> None:
        """Write what differs from the base of the last night, and hand that on.

        Args:
            settled: as above; in the tables of the connection ``removed`` holds the records that are not.
            before: the last night's memory.
        """
        notes = pq.read_schema(before.base).metadata
        link_or_copy(before.base, self.target.base)
        self.connection.execute(
            f"""
            create table unsettled as select settled.* from ({settled}) as settled semi join quarantined using (key);
            create table left_tonight as select record from removed union select record from unsettled;
            """
        )
        self._copy(
            f"""
            {self._judged()}
            union all by name
            select * replace (null as record) from unsettled
            union all by name
            select since.* from since anti join left_tonight using (record)
            where since.key is not null and since.record is not null
            union all by name
            (select record from since where key is null union select record from left_tonight)
            """,
            self.target.since,
            {_BASE: notes[_FILE.encode()].decode()},
        )

    def _judged(self) -> str:
        named, freshness = named_columns(self.border), self.border.entity.freshness()
        day = f'accepted."{freshness}"' if freshness else "null"
        columns = "".join(f', accepted."{name}"' for name in named)
        return f"""
            select
                case when again._row is null and quarantined.key is null then numbered.record end as record,
                {key_hash(self.border.entity, "accepted")} as key, ({day})::date as day{columns}
            from read_parquet({literal(self.border.accepted)}) as accepted
            inner join {self.numbered} as numbered on accepted._row = numbered.row_no
            left join again on accepted._row = again._row
            left join quarantined on {key_hash(self.border.entity, "accepted")} = quarantined.key
        """

    def _copy(self, query: str, path: Path, notes: Mapping[str, str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        noted = {_MADE_BY: self.made_by, _FILE: self.border.file.sha256, **notes}
        metadata = ", ".join(f"{name}: {literal(note)}" for name, note in noted.items())
        self.connection.execute(
            f"copy ({query}) to {literal(path)} (FORMAT parquet, COMPRESSION uncompressed, KV_METADATA {{{metadata}}})"
        )


def named_columns(border: Border) -> list[str]:
    """The columns in which somebody is named by id."""
    return list(dict.fromkeys(one.id_column for one in references(border.file.entity, border.entity)))


def key_hash(entity: type[Entity], table: str = "") -> str:
    """The engine's expression for the hash of a key."""
    prefix = f"{table}." if table else ""
    return f"hash({', '.join(prefix + quoted(name) for name in entity.key())})"


def has_plain_key(entity: type[Entity]) -> bool:
    """Whether keys can be read back from the quarantine."""
    return all(entity.dtypes()[name].base_type() in _SQL_TYPES for name in entity.key())


def quarantined_keys(entity: type[Entity], cells: str) -> str:
    """Hashes of the keys that can be read in quarantined cells, given as a select with ``key``."""
    parts = ", ".join(
        f"try_cast(json_extract_string(key, {literal('$.' + quoted(name))}) as "
        f"{_SQL_TYPES[entity.dtypes()[name].base_type()]}) as {quoted(name)}"
        for name in entity.key()
    )
    read = f"select {parts} from ({cells}) where key is not null and json_valid(key)"
    return f"select distinct {key_hash(entity)} as key from ({read})"


def quoted(name: str) -> str:
    """A column name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A text as SQL reads it."""
    return "'" + str(value).replace("'", "''") + "'"
