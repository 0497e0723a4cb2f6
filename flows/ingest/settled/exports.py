"""Which exports may have settled rows, what the last night leaves of each, and what tonight leaves of it.

A row is settled if it stood in the last export byte for byte (or, of typed columns, value for value), once then and
once now; was accepted then under the same configuration and code; shares its key with no row that has to be judged; and
names by id whom tonight knows, or nobody. Everything else is judged, and where any of it is uncertain, all rows are.
A memory says what the state holds of a source, so the source has to be alone in filling its entity, with one file.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names)

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb
import numpy as np
import polars as pl

from flows.config.settings import Settings
from flows.config.sources import Source
from flows.config.stages import Stages
from flows.ingest.accounting import FileAccount
from flows.ingest.border import Border
from flows.ingest.readers import open_table
from flows.ingest.readers.batch import NAMELESS, Table
from flows.ingest.settled import columnar_records, text_records
from flows.ingest.settled.comparison import Comparison, Records
from flows.ingest.settled.fingerprint import made_by
from flows.ingest.settled.memory import (
    LastNight,
    Writing,
    asked_file,
    has_plain_key,
    literal,
    memory_of,
    quarantined_keys,
    staged_memory,
)
from flows.workspace import Workspace

FEWEST_ROWS = 100_000
"""Smaller files are judged whole: that takes less time than to look for what is settled."""
MOST_FRESH = 0.1
"""Share of rows that have to be judged above which all of them are."""
MOST_SINCE = 0.05
"""Lines that differ from the base of a memory, as a share of its own, above which a new base is written."""
NAMED_BY_OTHERS = frozenset({"user", "account", "opportunity", "identity_link"})
"""Entities in which others look up whom they name: all their accepted rows have to be at hand."""
JudgedAgain = tuple[Sequence[str], pl.DataFrame]
"""Columns, and their values in rows that are to be judged every night."""
FIRST_ROW = {"parquet": columnar_records.FIRST_ROW, "csv": text_records.FIRST_ROW}


@dataclass
class Exports:
    """The exports of the last night and of tonight.

    Args:
        workspace: holds what was recorded, and tonight's build.
        settings: the company's.
        stages: the company's.
        sources: configured sources by name.
        last_night: the newest night recorded before tonight, if any.
        fewest_rows: files with fewer rows are judged whole.
        most_fresh: share of rows that may have to be judged.
        most_since: lines of a memory that may differ from its base, as a share of that one's.
        files: how many files each source has tonight.
        compared: what is settled, by file.
    """

    workspace: Workspace
    settings: Settings
    stages: Stages
    sources: Mapping[str, Source]
    last_night: LastNight | None
    fewest_rows: int = FEWEST_ROWS
    most_fresh: float = MOST_FRESH
    most_since: float = MOST_SINCE
    files: Counter[str] = field(default_factory=Counter)
    compared: dict[str, Comparison] = field(default_factory=dict)
    _opened: dict[str, tuple[Records, duckdb.DuckDBPyConnection]] = field(default_factory=dict)

    def compare(self, border: Border, table: Table) -> Comparison | None:
        """Compare a file with what the last night left of it; None where all of its rows have to be judged."""
        if self.last_night is None or not self._is_fit(border, table):
            return None
        last = memory_of(self.workspace, border.file.source, self.last_night.day)
        if not last.exists():
            return None
        records, connection = self._open(border, table)
        if records is None or connection is None or records.count < self.fewest_rows:
            return None
        accepted = self.last_night.accepted.get(border.file.source, ())
        if not last.holds(self._made_by(border, records), accepted):
            return None
        extract = self.workspace.build / "settled" / "extract" / f"{border.file.file_id}{border.file.path.suffix}"
        found = Comparison(border, records, connection, extract, last)
        places, keys = self._quarantined(border, self.last_night.day)
        is_settled = found.compare(FIRST_ROW[border.file.format], places, keys, self.most_fresh)
        return found if is_settled else None

    def keep(self, found: Comparison) -> None:
        """Note that the rows that a comparison settles are not judged, and which keys the record has to look at."""
        self.compared[found.border.file.file_id] = found

    def remember(self, border: Border, account: FileAccount, again: Sequence[JudgedAgain]) -> None:
        """Write down what tonight accepts of a file, and what the record has to compare.

        Args:
            border: the file; its accepted rows do not say yet whom they mean.
            account: what became of it.
            again: which rows name somebody otherwise than by an id that is known.
        """
        found = self.compared.pop(border.file.file_id, None)
        try:
            self._remember(border, account, found, again)
        finally:
            self._opened.pop(border.file.file_id, None)  # what recording needs the room for

    def _remember(
        self, border: Border, account: FileAccount, found: Comparison | None, again: Sequence[JudgedAgain]
    ) -> None:
        if found:
            with found.connection:
                self._write(border, found.records, found, again)
        elif account.status == "accepted" and account.rows_in >= self.fewest_rows and border.file.format in FIRST_ROW:
            table = open_table(border.file.path, border.file.format, border.mapping.source, border.file.part)
            records, connection = self._open(border, table) if self._is_fit(border, table) else (None, None)
            if records is None or connection is None or records.count != account.rows_in + account.rows_set_aside:
                return
            with connection:
                try:
                    connection.execute(
                        f"create table numbered as select row_no, record from ({records.query(connection)})"
                    )
                except duckdb.Error:  # the engine is stricter with the file than its reader: then all rows are judged
                    return
                self._write(border, records, None, again)

    def _write(self, border: Border, records: Records, found: Comparison | None, again: Sequence[JudgedAgain]) -> None:
        """Stage the memory of a file; where rows of it are settled, also the keys that have to be compared."""
        if found:
            connection, numbered = found.connection, "picked"
            asked = asked_file(self.workspace, border)
            asked.parent.mkdir(parents=True, exist_ok=True)
            keys = "select distinct key as key_hash from asked"
            connection.execute(f"copy ({keys}) to {literal(asked)} (FORMAT parquet)")
        else:
            connection, numbered = self._opened[border.file.file_id][1], "numbered"
        connection.execute(f"create table quarantined as {_tonight_quarantined(border)}")
        _create_again(connection, border, numbered, again)
        target = staged_memory(self.workspace, border.file.source)
        writing = Writing(connection, border, numbered, self._made_by(border, records), target)
        if found and found.lines_that_differ <= self.most_since * found.memory.lines()[0]:
            writing.what_differs(found.settled, found.memory)
        else:
            writing.whole(found.settled if found else None)

    def _made_by(self, border: Border, records: Records) -> str:
        shape = f"{border.file.format} {records.shape}"
        return made_by(border.mapping.source, self.settings, self.stages, shape)

    def _is_fit(self, border: Border, table: Table) -> bool:
        """Whether rows of a file may be settled at all: a plain full export that alone fills its entity."""
        file, source = border.file, border.mapping.source
        return (
            file.format in FIRST_ROW
            and source.mode == "full"
            and not (source.is_dated or source.template or source.connect)
            and source.header_row in (None, 1)
            and file.part is None
            and file.refusal is None
            and file.observed_on is None
            and border.mapping.rules is None
            and file.entity not in NAMED_BY_OTHERS
            and has_plain_key(border.entity)
            and not table.repeated
            and not any(name.startswith(NAMELESS) for name in table.columns)
            and self.files[file.source] == 1
            and sum(other.entity == file.entity for other in self.sources.values()) == 1
        )

    def _open(self, border: Border, table: Table) -> tuple[Records | None, duckdb.DuckDBPyConnection | None]:
        """The records of a file, and an engine to compare them."""
        file, engine = border.file, self.settings.engine
        if file.file_id not in self._opened:
            spill = self.workspace.build / "spill"
            connection = duckdb.connect(
                config={"memory_limit": engine.memory_limit, "threads": engine.threads, "temp_directory": str(spill)}
            )
            records: Records | None
            if file.format == "parquet":
                records = columnar_records.columnar_records(file.path, table, connection)
            else:
                records = text_records.text_records(file.path, border.mapping.source, table, engine.threads)
            if records is None:
                return None, None
            self._opened[file.file_id] = records, connection
        return self._opened[file.file_id]

    def _quarantined(self, border: Border, night: date) -> tuple[list[int], str]:
        """Rows of a file that have no key and were quarantined; a select of the hashed keys of those that have one."""
        path, file = self.workspace.quarantine_file(night), border.file
        if not path.exists():
            return [], "select 0::ubigint as key where false"
        cells = pl.scan_parquet(path).filter((pl.col("source") == file.source) & (pl.col("entity") == file.entity))
        keyless = cells.filter(pl.col("key").is_null() & pl.col("row").is_not_null() & (pl.col("file") == file.name))
        places = keyless.select(pl.col("row").unique()).collect()["row"].to_list()
        mine = f"source = {literal(file.source)} and entity = {literal(file.entity)}"
        return places, quarantined_keys(border.entity, f"select key from read_parquet({literal(path)}) where {mine}")


def _tonight_quarantined(border: Border) -> str:
    return quarantined_keys(border.entity, f"select key from read_parquet({literal(border.rejected)})")


def _create_again(
    connection: duckdb.DuckDBPyConnection,
    border: Border,
    numbered: str,
    again: Sequence[JudgedAgain],
) -> None:
    """The accepted rows that tomorrow has to judge: they name somebody otherwise than by a known id, or stand twice."""
    accepted = f"read_parquet({literal(border.accepted)})"
    records = np.sort(
        np.asarray(connection.execute(f"select record from {numbered}").fetchnumpy()["record"], np.uint64)
    )
    repeated = np.unique(records[1:][records[1:] == records[:-1]])
    connection.register("repeated", pl.DataFrame({"record": repeated}))
    parts = [f"select row_no as _row from {numbered} semi join repeated using (record)"]
    for at, (columns, values) in enumerate(again):
        connection.register(f"again_{at}", values.select(*columns).unique())
        agree = " and ".join(f'accepted."{name}" is not distinct from again_{at}."{name}"' for name in columns)
        parts.append(f"select _row from {accepted} as accepted semi join again_{at} on {agree}")
    connection.execute(f"create or replace table again as select distinct _row from ({' union all '.join(parts)})")
