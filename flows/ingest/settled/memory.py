"""What a night accepted of a source, one line a row, as the next night needs it: ``settled/<source>/<night>.parquet``.

========== ============================================================================================================
record     hash of the record as it stood in the file; null where the row has to be judged again whatever it looks like
key        hash of its key
day        the entity's freshness date
…          the columns in which somebody is named by id
========== ============================================================================================================

A memory is part of its night: it is staged with it and committed with it. It holds only under the configuration and
code that it was made by, only for the night after, and only if that night's accounting names the file that it is of.
"""
# ruff: noqa: S608 (statements are composed of the schemas' own column names)

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.config.settings import Settings
from flows.config.sources import Source
from flows.config.stages import Stages
from flows.ingest.border import Border
from flows.ingest.identity import references
from flows.workspace import Workspace
from schemas.base import Entity

_MADE_BY, _FILE = "planloop_settled", "planloop_file"
_PACKAGES = Path(__file__).parents[3]
_READ_BY = ("flows/ingest", "flows/config", "schemas")
_LIBRARIES = ("duckdb", "pandera", "polars", "pyarrow", "opencc")
_SQL_TYPES = {pl.String: "varchar", pl.Date: "date", pl.Datetime: "timestamp"}
_PLACE_ONLY = {"path", "max_shrink", "missing", "refused", "fresh_within_hours"}
"""Settings of a source on which the judgement of a row does not depend."""


@dataclass(frozen=True)
class LastNight:
    """The newest night recorded before tonight.

    Attributes:
        day: its date.
        accepted: by source, the SHA-256 of the files that it accepted.
    """

    day: date
    accepted: Mapping[str, Sequence[str]]


def memory_file(workspace: Workspace, source: str, night: date) -> Path:
    """The memory of a recorded night."""
    return workspace.settled / source / f"{night}.parquet"


def staged_memory(workspace: Workspace, source: str) -> Path:
    """Tonight's memory, until the night is committed."""
    return workspace.build / "settled" / "memory" / f"{source}.parquet"


def staged_memories(workspace: Workspace) -> list[Path]:
    """Tonight's memories of all sources; each is named after its source."""
    return sorted((workspace.build / "settled" / "memory").glob("*.parquet"))


def asked_file(workspace: Workspace, border: Border) -> Path:
    """Hashes of the keys that are to be compared with the state tonight, beside those of the accepted rows."""
    return _asked(workspace, border.file.entity) / f"{border.file.file_id}.parquet"


def asked_files(workspace: Workspace, entity: str) -> list[Path]:
    """The same of all files of an entity of which rows are settled; none where all rows were judged."""
    return sorted(_asked(workspace, entity).glob("*.parquet"))


def _asked(workspace: Workspace, entity: str) -> Path:
    return workspace.build / "settled" / "asked" / entity


def holds(path: Path, made_by: str, accepted: Sequence[str]) -> bool:
    """Whether a memory can be gone by.

    Args:
        path: the memory; one that is not there or damaged holds nothing.
        made_by: configuration, code and shape of the file that it has to be made by.
        accepted: SHA-256 of the files that its night accepted of its source.
    """
    try:
        notes = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    of_file = notes.get(_FILE.encode(), b"").decode()
    return notes.get(_MADE_BY.encode()) == made_by.encode() and list(accepted) == [of_file]


def write_memory(
    connection: duckdb.DuckDBPyConnection, border: Border, settled: str | None, numbered: str, made_by: str, path: Path
) -> None:
    """Write what tonight leaves in memory.

    Args:
        connection: has the tables ``again`` (``_row`` of accepted rows that are to be judged again) and
            ``quarantined`` (``key`` of tonight's quarantined rows).
        border: the file, with its accepted rows.
        settled: a select of the last memory's rows that are settled; None where there are none.
        numbered: table with ``row_no`` and ``record`` of the records that were judged.
        made_by: what the memory holds under.
        path: the staged file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    named, freshness = named_columns(border), border.entity.freshness()
    day = f'accepted."{freshness}"' if freshness else "null"
    columns = "".join(f', accepted."{name}"' for name in named)
    kept = "".join(f', "{name}"' for name in named)
    judged = f"""
        select
            case when again._row is null and quarantined.key is null then numbered.record end as record,
            {key_hash(border.entity, "accepted")} as key, ({day})::date as day{columns}
        from read_parquet({literal(border.accepted)}) as accepted
        inner join {numbered} as numbered on accepted._row = numbered.row_no
        left join again on accepted._row = again._row
        left join quarantined on {key_hash(border.entity, "accepted")} = quarantined.key
    """
    remaining = f"""
        select case when quarantined.key is null then record end as record, key, day{kept}
        from ({settled}) left join quarantined using (key)
        union all
    """
    connection.execute(
        f"copy ({remaining if settled else ''} {judged}) to {literal(path)} "
        f"(FORMAT parquet, COMPRESSION uncompressed, "
        f"KV_METADATA {{{_MADE_BY}: {literal(made_by)}, {_FILE}: {literal(border.file.sha256)}}})"
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


def made_by(source: Source, settings: Settings, stages: Stages, shape: str) -> str:
    """What the judgement of a row depends on beside the row: configuration, code, and the columns of the file."""
    parts = [
        source.model_dump(mode="json", exclude=_PLACE_ONLY),
        settings.time_zone,
        settings.reporting_currency,
        settings.identity.model_dump(mode="json"),
        sorted(stages.by_spelling.items()),
        shape,
    ]
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256((_code() + text).encode()).hexdigest()


@cache
def _code() -> str:
    """The code that reads and judges rows, and how the two engines hash on this machine."""
    digest = hashlib.sha256(str([version(name) for name in _LIBRARIES]).encode())
    digest.update(str(pl.Series([b"planloop", "甲".encode()]).hash(seed=1).to_list()).encode())
    with duckdb.connect() as connection:
        digest.update(str(connection.execute("select hash('planloop', 7, 1.25, null)").fetchone()).encode())
    for folder in _READ_BY:
        for path in sorted((_PACKAGES / folder).rglob("*")):
            if path.suffix in (".py", ".yaml"):
                digest.update(str(path.relative_to(_PACKAGES)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
