"""Quarantined cells of a night: gathering them, and reading those of a night again."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import PermanentError
from flows.ingest.rejected import SCHEMA
from flows.workspace import Workspace

QUARANTINE = SCHEMA
"""Columns of the quarantine: one row per faulty cell; ``column`` is null where the whole row or file is meant."""

ORDER = ["source", "file", "sheet", "row", "column", "reason_code"]


def staged_quarantine(workspace: Workspace) -> Path:
    """Where tonight's quarantine waits for the night to be committed."""
    return workspace.build / "night" / "_quarantine.parquet"


def rejected_files(workspace: Workspace) -> list[Path]:
    """What validation rejected tonight, one file per source file."""
    return sorted((workspace.build / "rejected").glob("*.parquet"))


def gather(rejected: Iterable[Path], recorded: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """All quarantined cells of tonight, ordered by place: those of validation, and those found while recording."""
    frames = [pl.DataFrame(schema=QUARANTINE), pl.DataFrame(list(recorded), schema=QUARANTINE, orient="row")]
    for path in rejected:
        frame = pl.read_parquet(path)
        frames.append(frame.select(pl.col(name).cast(dtype) for name, dtype in QUARANTINE.items()))
    return pl.concat(frames).sort(ORDER, nulls_last=False)


def read_quarantine(
    workspace: Workspace, as_of: date, *, entity: str | None = None, reason: str | None = None
) -> pl.DataFrame:
    """Quarantined cells of one night.

    Args:
        workspace: where the quarantine is.
        as_of: the night.
        entity: only this entity.
        reason: only this ``reason_code``.

    Returns:
        Columns of ``QUARANTINE``, ordered by source, file, sheet and row.

    Raises:
        PermanentError: the night is not in the change log.
    """
    path = workspace.quarantine_file(as_of)
    if not path.exists():
        known = sorted(found.stem for found in workspace.quarantine.glob("????-??-??.parquet"))
        hint = f"the newest is {known[-1]}" if known else "no night has been recorded yet; run `planloop refresh`"
        raise PermanentError(f"expected the quarantine of the night {as_of} at {path}, found none; {hint}")
    frame = pl.concat([pl.DataFrame(schema=QUARANTINE), pl.read_parquet(path)], how="diagonal")
    if entity is not None:
        frame = frame.filter(pl.col("entity") == entity)
    if reason is not None:
        frame = frame.filter(pl.col("reason_code") == reason)
    return frame
