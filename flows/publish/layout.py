"""Where published files lie, and the few file operations that have to survive a power cut.

    published/
      v/<run_id>/planloop.duckdb, parquet/<table>.parquet, manifest.json     a version: read-only, never changed
      current -> v/<run_id>                                                  the one link that is swapped
      marts.duckdb, planloop.duckdb -> current/planloop.duckdb               fixed links, made once
      parquet -> current/parquet        manifest.json -> current/manifest.json

Why the file of a version is not called marts.duckdb: DuckDB names an opened database after its file. In a database
``marts`` with a schema ``marts`` the name ``marts.fct_opportunity`` is ambiguous and refused. DuckDB 1.5 takes the name
from the file behind the link, older clients from the link; those open ``published/planloop.duckdb``.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from flows.errors import PermanentError

DATABASE = "planloop.duckdb"
PARQUET = "parquet"
MANIFEST = "manifest.json"
SCHEMA = "marts"
BASIS = "basis"
"""Tables of numbers that views of ``marts`` show with their names; part of the version, not for readers."""
FIXED_LINKS = {
    "marts.duckdb": f"current/{DATABASE}",
    DATABASE: f"current/{DATABASE}",
    PARQUET: f"current/{PARQUET}",
    MANIFEST: f"current/{MANIFEST}",
}
_STAGING, _TRASH = ".staging-", ".trash-"
_RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")


def version_folder(published: Path, run_id: str) -> Path:
    """Folder of a version.

    Raises:
        PermanentError: ``run_id`` cannot be the name of a version.
    """
    if not _RUN_ID.fullmatch(run_id):
        message = f"Expected a run id such as 20171231-01, found {run_id!r}. `planloop publish list` shows them."
        raise PermanentError(message)
    return published / "v" / run_id


def version_database(published: Path, run_id: str) -> Path:
    """DuckDB file of a version."""
    return version_folder(published, run_id) / DATABASE


def staging_folder(published: Path, run_id: str) -> Path:
    """Where the version of ``run_id`` is put together; beside the versions, so that one rename finishes it."""
    folder = version_folder(published, run_id)
    return folder.with_name(f"{_STAGING}{run_id}")


def version_folders(published: Path) -> list[Path]:
    """Folders of all finished versions, by name."""
    root = published / "v"
    return sorted(path for path in root.iterdir() if _RUN_ID.fullmatch(path.name)) if root.is_dir() else []


def current_run_id(published: Path) -> str | None:
    """The run id that ``current`` points to, or None before the first publication."""
    try:
        return Path(os.readlink(published / "current")).name
    except FileNotFoundError:
        return None


def swap_link(link: Path, target: str) -> None:
    """Point ``link`` to ``target`` in one step: a reader finds the old target or the new one, never none."""
    prepared = link.with_name(f".{link.name}.new")
    prepared.unlink(missing_ok=True)
    prepared.symlink_to(target)
    os.replace(prepared, link)
    fsync(link.parent)


def make_fixed_links(published: Path) -> None:
    """Make the links that never change. They hang in the air until the first ``current`` is there."""
    for name, target in FIXED_LINKS.items():
        link = published / name
        if not link.is_symlink() or os.readlink(link) != target:
            swap_link(link, target)


def sweep(published: Path, keep_staging: str | None = None) -> None:
    """Remove what killed publications left, but for the staging folder of the run ``keep_staging``."""
    root = published / "v"
    kept = f"{_STAGING}{keep_staging}" if keep_staging else None
    for path in root.iterdir() if root.is_dir() else ():
        if path.name.startswith((_STAGING, _TRASH)) and path.name != kept:
            remove_tree(path)


def discard(folder: Path) -> None:
    """Remove a version: out of the list in one step, then file by file."""
    trash = folder.with_name(f"{_TRASH}{folder.name}")
    remove_tree(trash)
    os.rename(folder, trash)
    remove_tree(trash)


def remove_tree(folder: Path) -> None:
    """Remove a folder that may be read-only; an absent one is fine."""
    if not folder.is_dir():
        return
    for path in _folders(folder):
        path.chmod(0o755)
    shutil.rmtree(folder)


def seal(folder: Path) -> None:
    """Make a finished version read-only and durable: files, then the folders that list them.

    The folders too, so that a client that opens the database read-write by mistake cannot put a ``.wal`` beside it.
    """
    for parent in _folders(folder):
        for path in sorted(parent.iterdir()):
            if path.is_file():
                path.chmod(0o444)
                fsync(path)
    for parent in reversed(list(_folders(folder))):
        parent.chmod(0o555)
        fsync(parent)


def fsync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folders(folder: Path) -> Iterator[Path]:
    """``folder`` and all folders below, parents first; each may be made writable before its children are listed."""
    yield folder
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _folders(path)
