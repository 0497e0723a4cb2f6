"""What the judgement of a row depends on beside the row itself: where it is not what it was, all rows are judged."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl

from flows.config.settings import Settings
from flows.config.sources import Source
from flows.config.stages import Stages

_PACKAGES = Path(__file__).parents[3]
_READ_BY = ("flows/ingest", "flows/config", "schemas")
_LIBRARIES = ("duckdb", "pandera", "polars", "pyarrow", "opencc")
_PLACE_ONLY = {"path", "max_shrink", "missing", "refused", "fresh_within_hours"}
"""Settings of a source on which the judgement of a row does not depend."""


def made_by(source: Source, settings: Settings, stages: Stages, shape: str) -> str:
    """Configuration, code, and ``shape``, the columns of the file, as one text."""
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
