"""What earlier nights landed of a source: where a pull goes on, what is known already, what was quarantined."""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.config.sources import Source
from flows.ingest.crm.landed import Sync, numbered, read_sync
from flows.ingest.crm.protocol import Record
from flows.workspace import Workspace


@dataclass(frozen=True)
class Earlier:
    """The nights before ``as_of`` that the change log has recorded, as one source landed them.

    Attributes:
        source: has ``connect``.
        workspace: where landing and quarantine lie.
        as_of: date of the night that looks back.
        recorded: nights of the change log.
    """

    source: Source
    workspace: Workspace
    as_of: date
    recorded: Collection[date]

    def beginning(self) -> Sync:
        """The state of a pull that has not begun: it goes on where the newest recorded one ended."""
        origin, shape = fingerprints(self.source)
        swept = None
        for night, _, sync in self._complete(newest_first=True):
            if sync.origin == origin:
                swept = swept or sync.swept_on
            if sync.shape == shape and self.source.mode != "full":
                return Sync(origin, shape, night.isoformat(), cursor=sync.cursor, swept_on=sync.swept_on)
            break
        return Sync(origin, shape, None, swept_on=swept)

    def records(self, origin: str) -> list[Path]:
        """Files of records, oldest first, since the source was last pulled from somewhere else."""
        files: list[Path] = []
        for _, folder, sync in self._complete():
            files = [*files, *_records(folder)] if sync.origin == origin else []
        return files

    def quarantined(self, night: date) -> list[Record]:
        """The records that a night had to quarantine."""
        records: list[Record] = []
        for name, rows in refused_rows(self.workspace.quarantine_file(night), self.source.name).items():
            path = self._folder(night) / name
            records += numbered(path, rows) if path.is_file() else []
        return records

    def _complete(self, *, newest_first: bool = False) -> Iterator[tuple[date, Path, Sync]]:
        """The nights whose pull came to its end."""
        for night in sorted(self.recorded, reverse=newest_first):
            sync = read_sync(self._folder(night)) if night < self.as_of else None
            if sync is not None and sync.phase == "complete":
                yield night, self._folder(night), sync

    def _folder(self, night: date) -> Path:
        return self.workspace.landing / night.isoformat() / self.source.name


def refused_rows(quarantine: Path, source: str) -> dict[str, set[int] | None]:
    """Quarantined rows of a source by file; None: the whole file."""
    if not quarantine.is_file():
        return {}
    places = pl.scan_parquet(quarantine).filter(pl.col("source") == source).select("file", "row").unique().collect()
    found: dict[str, set[int] | None] = {}
    for file, row in places.iter_rows():
        rows = found.setdefault(file, set())
        if row is None or rows is None:
            found[file] = None
        else:
            rows.add(row)
    return found


def fingerprints(source: Source) -> tuple[str, str]:
    """Hashes of what is pulled from where, and of that together with what is asked for.

    A field that is asked for anew is not in what was landed before, so that everything has to be pulled once more.
    """
    connect = source.connect
    assert connect is not None  # noqa: S101 (callers have looked)
    origin = [connect.crm, connect.url, connect.object]
    options = {name: value for name, value in connect.options.items() if name != "sweep_days"}
    fields = sorted({name for column in source.columns.values() for name in column.source_columns} | {*source.ignore})
    return _hash(origin), _hash([*origin, options, fields, source.mode, source.deleted is not None])


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _records(folder: Path) -> Iterator[Path]:
    """The file of records of a landed pull."""
    for path in sorted(folder.glob("*.jsonl")):
        if path.name != "ids.jsonl" and path.stat().st_size:
            yield path
