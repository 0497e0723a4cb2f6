"""What was pulled for one source on one night, on disk: the records, and how far the pull has come.

``landing/<as_of>/<source>/`` holds ``<object>.jsonl`` (the records as they came, one object a line), ``ids.jsonl`` (the
ids that a sweep found) and ``sync.json`` (`Sync`). A page is appended and flushed to disk, then ``sync.json`` is
replaced in one step and says how long the files are now. What stands beyond that length was written by a pull that was
killed before it could say so, and is cut off by the next.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import polars as pl

from flows.history.durable import replace_file
from flows.ingest.crm.protocol import Cursor, Record

Phase = Literal["pull", "sweep", "close", "complete"]
SYNC = "sync.json"


@dataclass(frozen=True)
class Sync:
    """How far a pull has come. Holds no secret.

    Attributes:
        origin: hash of what is pulled from where: vendor, url, object.
        shape: hash of the options too; a cursor of another shape is not gone on from.
        base: the recorded night whose end cursor this pull began with; None: it began from the start.
        phase: pull: what changed; sweep: all ids; close: deleted and carried records; complete.
        cursor: of the last page pulled; of a complete pull, where the next night begins.
        sweep_cursor: of the last page of the sweep.
        swept_on: as-of date of the last complete sweep, of this night or of an earlier one.
        gone: ids that the vendor has said are gone and that have not been landed as deleted yet.
        carried: whether the records that the night before had to quarantine have been landed again.
        lengths: bytes by file that count.
        records: records landed.
        pages: pages landed.
        requests: requests sent for them.
    """

    origin: str
    shape: str
    base: str | None
    phase: Phase = "pull"
    cursor: Cursor | None = None
    sweep_cursor: Cursor | None = None
    swept_on: str | None = None
    gone: tuple[str, ...] = ()
    carried: bool = False
    lengths: Mapping[str, int] = field(default_factory=dict)
    records: int = 0
    pages: int = 0
    requests: int = 0


def read_sync(folder: Path) -> Sync | None:
    """The state of the pull in ``folder``; None where there is none that can be gone on from."""
    try:
        stored = json.loads((folder / SYNC).read_text(encoding="utf-8"))
        sync = Sync(**{**stored, "gone": tuple(stored["gone"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    whole = all(
        (folder / name).is_file() and (folder / name).stat().st_size >= size for name, size in sync.lengths.items()
    )
    return sync if whole else None


class LandedPull:
    """The folder of one source and night, opened to be written to.

    Args:
        folder: made if need be.
        name: of the file of records, without ending.
        sync: where to go on; what the folder holds beyond it is cut off.
    """

    def __init__(self, folder: Path, name: str, sync: Sync) -> None:
        self.folder = folder
        self.records = folder / f"{name}.jsonl"
        self.ids = folder / "ids.jsonl"
        self.sync = sync
        folder.mkdir(parents=True, exist_ok=True)
        for path in (self.records, self.ids):
            with path.open("ab") as stream:
                stream.truncate(sync.lengths.get(path.name, 0))
        self.save()

    def save(self, **changes: Any) -> None:
        """Replace ``sync.json``, with some attributes of `Sync` changed."""
        lengths = {path.name: path.stat().st_size for path in (self.records, self.ids)}
        self.sync = replace(self.sync, lengths=lengths, **changes)
        text = json.dumps(asdict(self.sync), ensure_ascii=False, indent=1)
        replace_file(self.folder / SYNC, lambda path: path.write_text(text, encoding="utf-8"))

    def append(self, path: Path, lines: Sequence[bytes], **changes: Any) -> None:
        """Add lines to one of the two files, flush them to disk, then save how far the pull has come."""
        if lines:
            with path.open("ab") as stream:
                stream.write(b"".join(line + b"\n" for line in lines))
                stream.flush()
                os.fsync(stream.fileno())
        self.save(**changes)

    def clear_ids(self) -> None:
        """Empty the file of ids; a sweep begins anew."""
        self.ids.write_bytes(b"")
        self.save(sweep_cursor=None)


def encoded(record: Record) -> bytes:
    """A record as one line of JSON."""
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 does not have; escaped it is at least kept
        return json.dumps(record, separators=(",", ":")).encode()


def digest(line: bytes) -> bytes:
    """A short hash of a line, to know it again."""
    return blake2b(line, digest_size=12).digest()


def last_digests(path: Path, key: str) -> dict[str, bytes]:
    """The hash of the last line of each id in a file of records."""
    with path.open("rb") as stream:
        return {str(json.loads(line)[key]): digest(line.rstrip(b"\n")) for line in stream}


def living(files: Sequence[Path], key: str, deleted: str) -> pl.Series:
    """Ids whose last landed version is not marked as deleted.

    Args:
        files: files of records, oldest first.
        key: field of the id.
        deleted: field that is true for a deleted record.
    """
    if not files:
        return pl.Series("id", [], dtype=pl.String)
    is_deleted = _text(deleted).str.to_lowercase() == "true"
    newest = (
        _lines(files)
        .select("row", id=_text(key), deleted=is_deleted.fill_null(value=False))
        .group_by("id")
        .agg(pl.col("deleted").sort_by("row").last())
        .filter(~pl.col("deleted"))
    )
    return newest.select("id").collect(engine="streaming").to_series()


def last_versions(files: Sequence[Path], key: str, ids: Collection[str]) -> dict[str, Record]:
    """The last landed version of some records, by id; ids that were never landed are absent.

    Args:
        files: files of records, oldest first.
        key: field of the id.
        ids: the ids looked for.
    """
    if not files or not ids:
        return {}
    found = (
        _lines(files)
        .with_columns(id=_text(key))
        .filter(pl.col("id").is_in(pl.Series(sorted(ids), dtype=pl.String).implode()))
        .group_by("id")
        .agg(pl.col("line").sort_by("row").last())
        .collect(engine="streaming")
    )
    return {identifier: json.loads(line) for identifier, line in found.select("id", "line").iter_rows()}


def numbered(path: Path, rows: Collection[int] | None) -> list[Record]:
    """The records on some lines of a file, the first line being 1; None: on all lines."""
    lines = pl.scan_lines(path, name="line", row_index_name="row", row_index_offset=1)
    if rows is not None:
        lines = lines.filter(pl.col("row").is_in(pl.Series(sorted(rows), dtype=pl.UInt32).implode()))
    return [json.loads(line) for line in lines.select("line").collect(engine="streaming").to_series()]


def _lines(files: Sequence[Path]) -> pl.LazyFrame:
    """``row`` (in the order of landing) and ``line``."""
    return pl.scan_lines(list(files), name="line", row_index_name="row")


def _text(name: str) -> pl.Expr:
    """A field of the JSON object in ``line``, as text."""
    return pl.col("line").str.json_path_match(f"$[{json.dumps(name, ensure_ascii=False)}]")
