"""Who is to mend a quarantined row: the owner that the row itself names, as far as anybody of that name is known."""

import json
from collections.abc import Mapping

import polars as pl

from flows.config.sources import Source
from flows.ingest.headers import columns_by_key, header_key, header_name
from flows.ingest.names import name_keys

_OWNER = ("owner_id", "owner_name")
PEOPLE: dict[str, pl.DataType] = {
    "user_id": pl.String(),
    "name": pl.String(),
    "email": pl.String(),
    "language": pl.String(),
    "is_active": pl.Boolean(),
}
"""What is to be known of people."""


def owners(cells: pl.DataFrame, sources: Mapping[str, Source], people: pl.DataFrame) -> pl.Series:
    """The ``user_id`` of each quarantined cell's owner; null where the row names nobody who is known.

    By id, mail address or a name that one person bears; of several, one that is still active.

    Args:
        cells: quarantined cells with ``source``, ``entity`` and ``raw``.
        sources: configured sources by name; their mapping says which column holds the owner.
        people: columns ``PEOPLE``.
    """
    rows = cells.select("source", "entity", "raw").unique()
    headers = _OwnerHeaders(sources)
    written = [headers.written(source, entity, raw) for source, entity, raw in rows.iter_rows()]
    named = rows.with_columns(written=pl.Series(written, dtype=pl.String))
    known = _known(people)
    by_text = named.with_columns(text=_compared(named["written"])).join(
        known, on="text", how="left", maintain_order="left"
    )
    found = cells.join(
        by_text.select("source", "entity", "raw", "user_id"),
        on=["source", "entity", "raw"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return found["user_id"]


class _OwnerHeaders:
    """In which column the rows of a source hold their owner; looked up once for each header."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._found: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}

    def written(self, source: str, entity: str, raw: str | None) -> str | None:
        """What stands in the owner's column of a source row."""
        row = json.loads(raw) if raw else {}
        if not isinstance(row, dict):
            return None
        headers = tuple(row)
        if (source, headers) not in self._found:
            self._found[source, headers] = self._of(source, entity, headers)
        return next((str(row[name]) for name in self._found[source, headers] if row[name] not in (None, "")), None)

    def _of(self, source: str, entity: str, headers: tuple[str, ...]) -> tuple[str, ...]:
        columns = self._sources[source].columns if source in self._sources else {}
        stated = [header_name(name) for one in _OWNER if one in columns for name in columns[one].source_columns]
        known = columns_by_key(entity)
        by_header = [name for one in _OWNER for name in headers if known.get(header_key(name)) == one]
        return tuple(name for name in (*stated, *by_header) if name in headers)


def _known(people: pl.DataFrame) -> pl.DataFrame:
    """Texts that mean one person: id, mail address and name; ``text`` and ``user_id``."""
    texts = pl.concat(
        people.select("user_id", "is_active", text=_compared(people[name])) for name in ("user_id", "email", "name")
    )
    active_first = pl.col("is_active").fill_null(value=True)
    distinct = texts.filter(pl.col("text").is_not_null()).unique(["user_id", "text"])
    active = distinct.with_columns(rank=pl.when(active_first).then(0).otherwise(1))
    best = active.filter(pl.col("rank") == pl.col("rank").min().over("text"))
    return best.filter(pl.len().over("text") == 1).select("text", "user_id")


def _compared(texts: pl.Series) -> pl.Series:
    keys = name_keys(texts.cast(pl.String))["key"]
    return keys.replace({"": None}).alias("text")
