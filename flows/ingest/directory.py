"""Who is known tonight: users, accounts and opportunities by id, name and mail, and the links of the mapping sheet.

They come from tonight's accepted rows, and from the change log where tonight's files do not replace what it holds: an
export that is missing or refused tonight, a delta, a row that was quarantined.
"""
# ruff: noqa: S608 (statements are composed of our own column names)

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from flows.ingest.names import name_keys
from schemas.registry import ENTITIES

LastKnown = Callable[[str, Sequence[str]], pl.DataFrame]
"""Rows of an entity as last known before tonight: the columns asked for, and ``_source``."""

ENTITY_OF = {"owner": "user", "account": "account", "opportunity": "opportunity"}
"""The entity in which a kind of reference looks for whom it names."""

_COLUMNS = {
    "user": ("user_id", "name", "email", "is_active", "hired_on", "left_on"),
    "account": ("account_id", "name", "merged_into_id"),
    "opportunity": ("opportunity_id", "name", "merged_into_id"),
    "identity_link": ("kind", "source_name", "name", "target_id"),
}
_KEYS = {entity: ENTITIES[entity].key() for entity in _COLUMNS}
_MERGES_IN_A_ROW = 6


@dataclass(frozen=True)
class Directory:
    """What can be looked up tonight.

    Args:
        connection: an engine with its limits set.
        accepted: accepted files of tonight, by entity.
        rejected: quarantined cells of tonight.
        last_known: the state before tonight.
        replaced: sources whose exports are complete tonight: what they do not hold any more is gone.
    """

    connection: duckdb.DuckDBPyConnection
    accepted: Mapping[str, Sequence[Path]]
    rejected: Sequence[Path]
    last_known: LastKnown
    replaced: frozenset[str]

    def unknown_ids(self, kind: str, asked: str) -> pl.Series:
        """Distinct ids that name nobody. The change log is asked only for what tonight's files do not know.

        Args:
            kind: owner, account or opportunity.
            asked: a select of the connection with one column ``id``.
        """
        entity = ENTITY_OF[kind]
        key = _KEYS[entity][0]
        left = self.connection.execute(
            f"select distinct asked.id from ({asked}) as asked anti join ({self._tonight(entity)}) as known "
            f"on asked.id = known.{key} where asked.id is not null order by all"
        ).pl()["id"]
        if left.is_empty():
            return left
        known = pl.concat([self._before(entity, (key,))[key], self._quarantined(entity)])
        return left.filter(~left.is_in(known.implode()))

    def is_empty(self, kind: str) -> bool:
        """Whether nobody of a kind is known at all, so that an unknown id says nothing."""
        entity = ENTITY_OF[kind]
        tonight = self.connection.execute(f"select 1 from ({self._tonight(entity)}) limit 1").fetchone()
        return tonight is None and self._before(entity, _KEYS[entity]).is_empty()

    def people(self) -> pl.DataFrame:
        """Users: ``id``, ``name``, ``key``, ``mail``, ``hired_on``, ``left_on``, ``is_active``."""
        users = self._known("user")
        return self._named(users).select(
            *(pl.col("user_id").alias("id"), "name", "key"),
            pl.col("email").str.strip_chars().str.to_lowercase().alias("mail"),
            *("hired_on", "left_on", pl.col("is_active").fill_null(value=True)),
        )

    def records(self, kind: str) -> pl.DataFrame:
        """Accounts or opportunities: ``id`` (of the survivor, where merged), ``name``, ``key``, ``core``, ``form``."""
        entity = ENTITY_OF[kind]
        known = self._known(entity).rename({_KEYS[entity][0]: "id"}).filter(pl.col("name").is_not_null())
        return self._named(_survivors(known)).select("id", "name", "key", "core", "form")

    def links(self) -> pl.DataFrame:
        """The mapping sheet: ``kind``, ``source_name`` (empty for all), ``masked_key``, ``id``."""
        links = self._known("identity_link")
        return self._named(links).select("kind", "source_name", "masked_key", pl.col("target_id").alias("id"))

    def _known(self, entity: str) -> pl.DataFrame:
        columns, key = _COLUMNS[entity], list(_KEYS[entity])
        tonight = self.connection.execute(f"select {', '.join(columns)} from ({self._tonight(entity)})").pl()
        dtypes = ENTITIES[entity].dtypes()
        tonight = tonight.cast({name: dtypes[name] for name in columns})
        before = self._before(entity, columns).join(tonight, on=key, how="anti")
        return pl.concat([tonight, before.select(columns)])

    def _tonight(self, entity: str) -> str:
        """Tonight's rows as a select; of several snapshots the newest row of each key, without deleted ones."""
        files = [str(path) for path in self.accepted.get(entity, ())]
        columns, key = ", ".join(_COLUMNS[entity]), ", ".join(_KEYS[entity])
        if not files:
            return f"select {', '.join(f'null::varchar as {name}' for name in _COLUMNS[entity])} where false"
        rows = f"read_parquet({files!r}, union_by_name = true)"
        found = {row[0] for row in self.connection.execute(f"describe select * from {rows}").fetchall()}
        kept = "where not coalesce(_deleted, false)" if "_deleted" in found else ""
        newest = f"select *, row_number() over (partition by {key} order by _observed_on desc) as _age from {rows}"
        several = len(files) > 1 and "_observed_on" in found
        source = f"(from ({newest}) select * where _age = 1)" if several else rows
        return f"select {columns} from {source} {kept}"

    def _before(self, entity: str, columns: Sequence[str]) -> pl.DataFrame:
        """The state before tonight, without what tonight's complete exports no longer hold."""
        asked = tuple(dict.fromkeys((*_KEYS[entity], *columns)))
        state = self.last_known(entity, asked)
        gone = pl.col("_source").is_in(sorted(self.replaced))
        if entity != "identity_link":
            gone &= ~pl.col(_KEYS[entity][0]).is_in(self._quarantined(entity).implode())
        return state.filter(~gone)

    def _quarantined(self, entity: str) -> pl.Series:
        """Keys that can be read in tonight's quarantined rows: they are not gone."""
        key = _KEYS[entity][0]
        if not self.rejected:
            return pl.Series(key, [], dtype=pl.String)
        return (
            pl.scan_parquet(list(self.rejected))
            .filter((pl.col("entity") == entity) & pl.col("key").is_not_null())
            .select(pl.col("key").str.json_path_match(f"$.{key}"))
            .collect()
            .to_series()
        )

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        keys = name_keys(frame["name"].unique())
        return frame.join(keys, on="name", how="left", nulls_equal=True)


def _survivors(known: pl.DataFrame) -> pl.DataFrame:
    """Records with the id of the one they were merged into at last; merges that go in a circle are not followed."""
    merges = known.filter(pl.col("merged_into_id").is_in(known["id"].implode())).select("id", into="merged_into_id")
    if merges.is_empty():
        return known
    ended = merges
    for _ in range(_MERGES_IN_A_ROW):
        further = ended.rename({"id": "into", "into": "further"})
        ended = ended.join(further, on="into", how="left").select("id", into=pl.coalesce("further", "into"))
    ended = ended.filter(~pl.col("into").is_in(merges["id"].implode()))
    return known.join(ended, on="id", how="left").with_columns(id=pl.coalesce("into", "id"))
