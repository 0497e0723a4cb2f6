"""Tonight's records against those that the last night accepted: which are settled, and which have to be judged."""
# ruff: noqa: S608 (statements are composed of the schemas' own column names)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import duckdb

from flows.errors import PermanentError
from flows.ingest.border import Border
from flows.ingest.column_kinds import looked_at
from flows.ingest.readers.batch import Table
from flows.ingest.settled.memory import Memory, key_hash, literal


class Records(Protocol):
    """The records of a file by number, each with a hash."""

    @property
    def count(self) -> int:
        """Number of records."""

    @property
    def shape(self) -> str:
        """What has to be the same for the hashes of two files to be compared."""

    def query(self, connection: duckdb.DuckDBPyConnection) -> str:
        """All records as a select: ``row_no``, ``record`` and whatever ``table`` needs beside."""

    def table(self, connection: duckdb.DuckDBPyConnection, rows: str, extract: Path) -> Table:
        """Some records as the reader gives them, under their own numbers."""


@dataclass
class Comparison:
    """One file against the memory of the last night, in the tables of a connection.

    ``picked`` holds the records that are to be judged; ``removed`` the ``record`` of remembered rows that are not
    settled; ``asked`` the ``key`` of all that has to be compared with the state beside what is accepted.

    Attributes:
        border: the file.
        records: its records.
        connection: an engine with its limits set.
        extract: where text is written to be read once more.
        memory: what the last night accepted.
        rows: number of settled rows.
    """

    border: Border
    records: Records
    connection: duckdb.DuckDBPyConnection
    extract: Path
    memory: Memory
    rows: int = 0

    def compare(self, first_row: int, places: Sequence[int], quarantined: str, most_fresh: float) -> bool:
        """Compare; whether the file can be judged by its fresh rows.

        Args:
            first_row: number of the first record.
            places: rows that are to be judged whatever they look like.
            quarantined: a select of hashes of the keys that the last night quarantined.
            most_fresh: share of rows that may have to be judged.
        """
        connection, count = self.connection, self.records.count
        # The narrow side is the one that is held in memory; numbers beyond 63 bits cannot be asked for in Arrow tables.
        connection.execute("set disabled_optimizers = 'build_side_probe_side,join_filter_pushdown'")
        self.memory.open(connection)
        connection.execute("create table places (row_no bigint)")
        if places:
            connection.executemany("insert into places values (?)", [[place] for place in places])
        placed = "row_no in (select row_no from places)" if places else "false"
        connection.execute(
            f"""
            create table compared as
            select tonight.*, memory.record as was_record, memory.key as was_key,
                memory.key is null or {placed} as is_fresh
            from ({self.records.query(connection)}) as tonight
            full join (select record, key from memory) as memory on tonight.record = memory.record
            where row_no is null or memory.key is null or {placed} or {looked_at("row_no", first_row)}
            """
        )
        ((fresh, unknown, gone, forced),) = connection.execute(
            """
            select count(row_no) filter (is_fresh), count(row_no) filter (was_key is null),
                count(was_record) filter (row_no is null), count(was_record) filter (row_no is not null and is_fresh)
            from compared
            """
        ).fetchall()
        ((remembered,),) = connection.execute("select count(record) from memory").fetchall()
        # A settled row that stands twice tonight has a partner twice: which of the two stays, all rows decide.
        if count - unknown != remembered - gone or fresh > most_fresh * count:
            connection.execute("drop table compared")
            return False
        self.rows = remembered - gone - forced
        left = "was_key is not null and (row_no is null or is_fresh)"
        connection.execute(
            f"""
            create table picked as
            select * exclude (was_record, was_key, is_fresh) from compared where row_no is not null and is_fresh;
            create table removed as select was_record as record from compared where {left} and was_record is not null;
            create table asked as select was_key as key from compared where {left} union all ({quarantined});
            """
        )
        return self.rows > 0

    def fresh(self) -> Table:
        """The records that are to be judged."""
        return self.records.table(self.connection, "select * from picked", self.extract)

    def sample(self) -> Table:
        """The records by which the columns are known."""
        rows = "select * exclude (was_record, was_key, is_fresh) from compared where row_no is not null"
        return self.records.table(self.connection, rows, self.extract)

    def add_conflicts(self) -> bool:
        """Pick the settled rows that have a key in common with a judged one; whether there are any."""
        keys = f"select {key_hash(self.border.entity)} as key from read_parquet({literal(self.border.accepted)})"
        return self._pick(f"semi join ({keys} union all select key from asked) using (key)") > 0

    def in_doubt(self, column: str, ids: str) -> Table | None:
        """Pick the settled rows that name one of some ids (a select with ``id``); None for none."""
        before = "create or replace table picked_before as select row_no from picked"
        self.connection.execute(before)
        if not self._pick(f'semi join ({ids}) as ids on settled."{column}" = ids.id'):
            return None
        return self.records.table(
            self.connection, "select * from picked anti join picked_before using (row_no)", self.extract
        )

    def named(self, column: str) -> str:
        """The ids that settled rows name in a column, as a select with ``id``."""
        return f'select distinct "{column}" as id from ({self.settled}) where "{column}" is not null'

    @property
    def settled(self) -> str:
        """The remembered rows that are settled, as a select."""
        return "select * from memory anti join removed using (record) where record is not null"

    @property
    def lines_that_differ(self) -> int:
        """At most how many lines differ from the base of the memory once this night is remembered."""
        ((judged, removed),) = self.connection.execute(
            "select (select count(*) from picked), (select count(*) from removed)"
        ).fetchall()
        return self.memory.lines()[1] + int(judged) + int(removed)

    def freshest_on(self, fresh: date | None) -> date | None:
        """The newest date among settled and judged rows, ``fresh`` being that of the judged ones."""
        # What the memory says of its newest rows is at hand; they may be gone tonight.
        files = f"[{literal(self.memory.base)}, {literal(self.memory.since)}]"
        ((newest, unsaid),) = self.connection.execute(
            f"select max(stats_max_value::date), count(*) filter (stats_max_value is null) "
            f"from parquet_metadata({files}) where path_in_schema = 'day'"
        ).fetchall()
        if fresh is not None and not unsaid and newest is not None and newest <= fresh:
            return fresh
        ((settled,),) = self.connection.execute(f"select max(day) from ({self.settled})").fetchall()
        return max(filter(None, (fresh, settled)), default=None)

    def _pick(self, which: str) -> int:
        """Have some of the settled rows judged as well; how many."""
        meant = f"select settled.record, settled.key from memory as settled {which}"
        self.connection.execute(
            f"create or replace table wanted as select meant.* from ({meant}) as meant "
            "anti join removed using (record) where record is not null"
        )
        ((wanted,),) = self.connection.execute("select count(*) from wanted").fetchall()
        if not wanted:
            return 0
        self.connection.execute(
            f"insert into picked select * from ({self.records.query(self.connection)}) semi join wanted using (record)"
        )
        self.connection.execute("insert into removed select record from wanted")
        self.connection.execute("insert into asked select key from wanted")
        self.rows -= wanted
        ((picked, removed),) = self.connection.execute(
            "select (select count(*) from picked), (select count(*) from picked semi join wanted using (record))"
        ).fetchall()
        if removed != wanted:
            message = f"{self.border.file.name}: expected {wanted} settled rows, found {removed} among {picked}."
            raise PermanentError(f"{message} This is a fault of planloop: please report it.")
        return int(wanted)
