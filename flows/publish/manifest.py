"""The manifest of a published version: what was published, from what, and the hash of every file."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flows.errors import PermanentError

_CHUNK = 1 << 20


class _Record(BaseModel):
    """Frozen; a key nobody knows means that the file was not written by this version of planloop."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Provenance(_Record):
    """From what a version was made.

    Attributes:
        code_version: version of planloop (with the commit, where it is known).
        config_hash: hash of the configuration of the night.
        versions: library by name; ``duckdb`` is filled by ``publish``.
        measures: totals that the next night's audit compares itself with (``AuditResult.measures``).
        details: anything else a reader of the manifest should know; values are JSON.
    """

    code_version: str
    config_hash: str
    versions: dict[str, str] = {}
    measures: dict[str, float] = {}
    details: dict[str, Any] = {}


class ColumnType(_Record):
    """A published column with its DuckDB type."""

    name: str
    type: str


class PublishedFile(_Record):
    """A file of a version; ``file`` is relative to the version's folder."""

    file: str
    bytes: int
    sha256: str


class TableFile(PublishedFile):
    """One mart: its rows, its columns in order, and its Parquet file."""

    name: str
    rows: int
    columns: tuple[ColumnType, ...]


class DatabaseFile(PublishedFile):
    """The DuckDB file."""

    storage_version: str


class Manifest(Provenance):
    """What one version holds. ``sequence`` counts publications of the workspace; the clock has no part in it."""

    format: Literal[1] = 1
    run_id: str
    as_of_date: date
    sequence: int
    database: DatabaseFile
    tables: tuple[TableFile, ...]

    @property
    def rows(self) -> dict[str, int]:
        """Row counts by table."""
        return {table.name: table.rows for table in self.tables}

    def to_json(self) -> str:
        """The manifest as written: the same version gives the same bytes."""
        return self.model_dump_json(indent=2) + "\n"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        PermanentError: the file is absent or is not a manifest of this format.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        message = f"Expected a manifest at {path}, found none. The version is incomplete: roll back to another one."
        raise PermanentError(message) from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the whole file"
        message = (
            f"Expected a planloop manifest (format 1) at {path}, found a fault in {where}: {fault['msg']}. "
            "The file was changed or damaged after publication: roll back to another version."
        )
        raise PermanentError(message) from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
