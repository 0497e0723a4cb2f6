"""Publish a candidate: put a version together beside the others, seal it, then swap one link.

The order of steps is the whole safety. Until the rename of step 3 a version does not exist; until the swap of step 4
nobody reads it; a process killed between any two steps leaves the last good version readable, and the same call
finishes the work or does it again:

1. settle the candidate, then move it into ``v/.staging-<run_id>`` (a rename: no second copy, and no path left by which
   a later build could change a published file);
2. write Parquet and manifest there, make all of it read-only, flush it to the disk;
3. rename the folder to ``v/<run_id>``;
4. swap ``current``.
"""

import errno
import os
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb

from flows.errors import PermanentError
from flows.publish import layout
from flows.publish.export import describe_database, export_parquet, settle
from flows.publish.manifest import Manifest, Provenance, read_manifest
from flows.publish.versions import newest_sequence, prune
from flows.workspace import Workspace


def publish(
    candidate: Path,
    workspace: Workspace,
    run_id: str,
    as_of: date,
    meta: Provenance,
    *,
    make_current: bool = True,
    keep_versions: int = 7,
    engine: Mapping[str, str | int] | None = None,
) -> Manifest:
    """Make the candidate a published version and, as a rule, the one that everybody reads.

    May be called again after a kill at any moment, with the candidate already moved or not.

    Args:
        candidate: closed DuckDB file with the marts; it is moved, not copied.
        workspace: the company's folders.
        run_id: name of the version.
        as_of: the as-of date of the marts.
        meta: from what they were made.
        make_current: False for the rebuild of a past night: the version is stored and listed, but readers stay where
            they are, unless the rebuild's date is the published one or a later one.
        keep_versions: how many versions stay on disk, newest first; never fewer than two.
        engine: DuckDB settings of the export (``memory_limit``, ``threads``).

    Returns:
        The manifest of the version.

    Raises:
        PermanentError: there is no candidate, it cannot be published, or ``run_id`` is already what readers see.
        TransientError: another process holds the candidate open.
    """
    published = workspace.published
    folder = layout.version_folder(published, run_id)
    folder.parent.mkdir(parents=True, exist_ok=True)
    is_current = layout.current_run_id(published) == run_id
    if is_current and candidate.is_file():
        message = (
            f"Expected a new run id for the candidate {candidate}, found {run_id}, which is the published version. "
            "Published versions are never changed: start a new run, or delete the candidate."
        )
        raise PermanentError(message)
    layout.sweep(published, keep_staging=None if is_current else run_id)
    staging = layout.staging_folder(published, run_id)
    if candidate.is_file():
        _stage(candidate, staging)
    if staging.is_dir():
        spill = {"temp_directory": str(workspace.build / "publish_spill")}
        _complete(staging, published, run_id, as_of, meta, {**spill, **(engine or {})})
        if folder.is_dir():  # left beside ``current`` by a night that was killed, then built anew
            layout.discard(folder)
        os.rename(staging, folder)
        layout.fsync(folder.parent)
    elif not folder.is_dir():
        message = f"Expected a candidate at {candidate}, found none, and no version {run_id}. Build the night first."
        raise PermanentError(message)
    manifest = read_manifest(folder / layout.MANIFEST)
    layout.make_fixed_links(published)
    if make_current or _is_due(published, as_of):
        layout.swap_link(published / "current", f"v/{run_id}")
    prune(workspace, keep_versions)
    return manifest


def _stage(candidate: Path, staging: Path) -> None:
    """Move the settled candidate into an empty staging folder."""
    settle(candidate)
    layout.remove_tree(staging)
    staging.mkdir()
    target = staging / layout.DATABASE
    try:
        os.rename(candidate, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # build/ on another file system: the copy gets its name only when it is whole.
        partial = target.with_suffix(".partial")
        shutil.copyfile(candidate, partial)
        layout.fsync(partial)
        os.rename(partial, target)
        candidate.unlink()


def _complete(
    staging: Path, published: Path, run_id: str, as_of: date, meta: Provenance, engine: Mapping[str, str | int]
) -> None:
    """Write Parquet and manifest beside the staged database and seal the folder; whatever was begun is done again."""
    database = staging / layout.DATABASE
    for path in (staging, database):
        if path.exists():
            path.chmod(0o755 if path.is_dir() else 0o644)
    layout.remove_tree(staging / layout.PARQUET)
    (staging / layout.MANIFEST).unlink(missing_ok=True)
    storage = settle(database)
    tables = export_parquet(database, staging, engine)
    manifest = Manifest(
        **meta.model_dump(exclude={"versions"}),
        versions={**meta.versions, "duckdb": duckdb.__version__},
        run_id=run_id,
        as_of_date=as_of,
        sequence=newest_sequence(published) + 1,
        database=describe_database(database, storage),
        tables=tables,
    )
    (staging / layout.MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    layout.seal(staging)


def _is_due(published: Path, as_of: date) -> bool:
    """Whether a rebuild may take over: nothing is published, or nothing later."""
    current = layout.current_run_id(published)
    if current is None:
        return True
    return as_of >= read_manifest(published / "v" / current / layout.MANIFEST).as_of_date
