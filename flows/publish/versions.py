"""The versions kept on disk: list them, go back to one, check one, drop the oldest."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from flows.errors import PermanentError, PlanloopError
from flows.publish import layout
from flows.publish.export import open_database, parquet_rows, table_rows
from flows.publish.manifest import Manifest, PublishedFile, file_sha256, read_manifest
from flows.workspace import Workspace

FEWEST_VERSIONS = 2
"""What readers see and the one before it: there is always a version to go back to, and a reader that resolved the link
just before a swap still finds its file."""


@dataclass(frozen=True)
class Version:
    """One version on disk.

    Attributes:
        run_id: its name.
        folder: where it lies.
        is_current: whether readers see it.
        manifest: what it holds; None when the manifest cannot be read.
        fault: why the manifest cannot be read, else None.
    """

    run_id: str
    folder: Path
    is_current: bool
    manifest: Manifest | None
    fault: str | None = None

    @property
    def as_of_date(self) -> date | None:
        """As-of date of the marts."""
        return self.manifest.as_of_date if self.manifest else None

    @property
    def sequence(self) -> int:
        """Number of the publication; 0 for a version whose manifest cannot be read."""
        return self.manifest.sequence if self.manifest else 0


@dataclass(frozen=True)
class Verification:
    """Result of checking one version against its manifest: one sentence a fault."""

    run_id: str
    files: int
    rows: int
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every file, hash and row count is as it was published."""
        return not self.faults


def versions(workspace: Workspace) -> list[Version]:
    """All versions on disk, the newest publication first."""
    current = layout.current_run_id(workspace.published)
    found = [_version(folder, folder.name == current) for folder in layout.version_folders(workspace.published)]
    return sorted(found, key=lambda version: (version.sequence, version.run_id), reverse=True)


def current_manifest(workspace: Workspace) -> Manifest | None:
    """Manifest of what readers see, or None before the first publication.

    Raises:
        PermanentError: there is a current version, but its manifest cannot be read.
    """
    current = layout.current_run_id(workspace.published)
    return read_manifest(workspace.published / "v" / current / layout.MANIFEST) if current else None


def newest_sequence(published: Path) -> int:
    """Number of the newest publication on disk; 0 before the first."""
    return max((_version(folder, False).sequence for folder in layout.version_folders(published)), default=0)


def rollback(workspace: Workspace, run_id: str | None = None) -> Manifest:
    """Let readers see an earlier version again. Nothing is rebuilt or deleted; the next night publishes as usual.

    Args:
        workspace: the company's folders.
        run_id: the version; None for the one published before the current one.

    Raises:
        PermanentError: there is no such version, or it is not as it was published.
    """
    chosen = _known(workspace, run_id) if run_id else _before_current(workspace)
    faults = _version_faults(chosen)
    if chosen.manifest is None or faults:
        message = f"Expected version {chosen.run_id} as it was published, found: {'; '.join(faults)}. "
        message += _choice(workspace)
        raise PermanentError(message)
    layout.make_fixed_links(workspace.published)
    layout.swap_link(workspace.published / "current", f"v/{chosen.run_id}")
    return chosen.manifest


def verify(workspace: Workspace, run_id: str | None = None) -> Verification:
    """Compare a version with its manifest: files, sizes, hashes, row counts of DuckDB and Parquet, links.

    Args:
        workspace: the company's folders.
        run_id: the version; None for the one that readers see, whose links are checked too.

    Raises:
        PermanentError: there is no such version.
    """
    chosen = _known(workspace, run_id or layout.current_run_id(workspace.published) or "")
    faults = _link_faults(workspace.published) if chosen.is_current else []
    faults += _version_faults(chosen)
    rows = chosen.manifest.rows if chosen.manifest else {}
    return Verification(chosen.run_id, len(rows) + 1, sum(rows.values()), tuple(faults))


def prune(workspace: Workspace, keep_versions: int) -> list[str]:
    """Drop versions beyond the newest ``keep_versions`` (at least two), never the one that readers see.

    A reader that still holds a dropped version open goes on reading it: the files lose their names, not their content.

    Returns:
        Run ids of the dropped versions.
    """
    beyond = versions(workspace)[max(keep_versions, FEWEST_VERSIONS) :]
    dropped = [version for version in beyond if not version.is_current]
    for version in dropped:
        layout.discard(version.folder)
    return [version.run_id for version in dropped]


def _version(folder: Path, is_current: bool) -> Version:
    try:
        return Version(folder.name, folder, is_current, read_manifest(folder / layout.MANIFEST))
    except PlanloopError as error:
        return Version(folder.name, folder, is_current, None, str(error))


def _known(workspace: Workspace, run_id: str) -> Version:
    for version in versions(workspace):
        if version.run_id == run_id:
            return version
    message = f"Expected the run id of a version in {workspace.published}, found {run_id!r}. " + _choice(workspace)
    raise PermanentError(message)


def _before_current(workspace: Workspace) -> Version:
    known = versions(workspace)
    current = next((version for version in known if version.is_current), None)
    for version in known:
        if current and version.sequence < current.sequence and version.manifest:
            return version
    message = f"Expected a version older than the current one in {workspace.published}, found none. " + _choice(
        workspace
    )
    raise PermanentError(message)


def _choice(workspace: Workspace) -> str:
    names = [f"{version.run_id}{' (current)' if version.is_current else ''}" for version in versions(workspace)]
    return f"Choose one of: {', '.join(names)}." if names else "Nothing is published yet: run `planloop refresh`."


def _version_faults(version: Version) -> list[str]:
    if version.manifest is None:
        return [version.fault or "no manifest"]
    # A damaged database is not opened: what it would answer means nothing.
    return _file_faults(version.folder, version.manifest) or _row_faults(version.folder, version.manifest)


def _link_faults(published: Path) -> list[str]:
    return [
        f"{published / name}: expected a link to {target}"
        for name, target in layout.FIXED_LINKS.items()
        if not (published / name).is_symlink() or str((published / name).readlink()) != target
    ]


def _file_faults(folder: Path, manifest: Manifest) -> list[str]:
    faults = []
    expected = {layout.MANIFEST}
    entries: list[PublishedFile] = [manifest.database, *manifest.tables]
    for entry in entries:
        expected.add(entry.file)
        path = folder / entry.file
        if not path.is_file():
            faults.append(f"{path}: missing")
        elif path.stat().st_size != entry.bytes:
            faults.append(f"{path}: expected {entry.bytes} bytes, found {path.stat().st_size}")
        elif (found := file_sha256(path)) != entry.sha256:
            faults.append(f"{path}: expected sha256 {entry.sha256[:12]}…, found {found[:12]}…")
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    faults += [f"{folder / name}: not part of the version" for name in sorted(present - expected)]
    if manifest.run_id != folder.name:
        faults.append(f"{folder}: the manifest is that of {manifest.run_id}")
    return faults


def _row_faults(folder: Path, manifest: Manifest) -> list[str]:
    faults = []
    try:
        with open_database(folder / manifest.database.file, read_only=True) as connection:
            found = table_rows(connection)
            parquet = {table.name: parquet_rows(connection, folder / table.file) for table in manifest.tables}
    except (duckdb.Error, PlanloopError) as error:
        return [f"{folder}: cannot be read: {error}"]
    for table in sorted(manifest.rows.keys() | found.keys()):
        counts = (manifest.rows.get(table), found.get(table), parquet.get(table))
        if len(set(counts)) > 1:
            faults.append(f"{table}: rows in manifest {counts[0]}, in DuckDB {counts[1]}, in Parquet {counts[2]}")
    return faults
