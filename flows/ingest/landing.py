"""Landing: every input file is copied, hashed and dated before anything reads it."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from flows.config.sources import ENDINGS, Source
from flows.errors import PermanentError, TransientError
from flows.ingest.finding import FoundFile, Recorded, days_to_take, find_files
from flows.ingest.noticed import Said
from flows.ingest.readers.workbook import TablePlace
from flows.ingest.tables import FoundTable, tables_of
from flows.workspace import Workspace

SETTLE_SECONDS = 0.3
SETTLE_ATTEMPTS = 20
HASHED_AT_A_TIME = 2
_NAME_BYTES = 200
"""Bytes of a file's name that its copy keeps: file systems take 255, and a Chinese character is three of them."""
_PART = "#"
"""Stands between the name of a file and one of its tables."""


@dataclass(frozen=True)
class LandedFile:
    """One input file as it was landed.

    Attributes:
        file_id: names the file's results in ``build/``; sorts in the order in which files are read.
        source: name of the source in the configuration.
        entity: canonical entity it fills.
        name: the file relative to the fixed part of the source's path; with the place where a file holds several
            tables, such as ``book.xlsx#Sheet1!A3``.
        path: the landed copy.
        sha256: hash of the content.
        bytes: size.
        format: csv, parquet, jsonl, xlsx or xls.
        observed_on: the day that it shows, where that is not the night's.
        part: which table of the file, for workbooks and templates.
        refusal: why this part of the file cannot be used, where that shows before its rows are read.
        refused_rows: rows of a part that is refused.
        beside: what lies in the file beside its tables, told at the first of them.
    """

    file_id: str
    source: str
    entity: str
    name: str
    path: Path
    sha256: str
    bytes: int
    format: str
    observed_on: date | None = None
    part: TablePlace | None = None
    refusal: str | None = None
    refused_rows: int = 0
    beside: Said | None = None


def land(
    sources: Mapping[str, Source],
    workspace: Workspace,
    as_of: date,
    *,
    recorded: Recorded | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[LandedFile]:
    """Copy the files of all sources to ``landing/<as_of>/<source>/<sha12>-<name>``.

    A file landed on an earlier night with the same content is linked, not copied. A source without a file lands
    nothing; ``validate`` reports it as missing. A file that leads out of its folder is neither read nor copied, and
    refused there.

    Args:
        sources: the configured sources, in order.
        workspace: where landing lies.
        as_of: date of the night.
        recorded: what earlier nights have accepted; dated files among it are not taken again.
        sleep: waits between two looks at a file that may still be written.

    Returns:
        The landed files, by source in configured order, then by name.

    Raises:
        TransientError: a file keeps changing, or cannot be read now.
        PermanentError: a file has an ending no reader knows.
    """
    groups: dict[str, list[Source]] = {}
    for source in sources.values():
        groups.setdefault(source.landed_as or source.name, []).append(source)
    found = [
        (file, group)
        for group in groups.values()
        for file in _to_take(group[0], workspace, as_of, _recorded_by(group, recorded or {}))
    ]
    settled = _settled([file.path for file, _ in found if not file.refusal], sleep)
    return [
        landed
        for ordinal, (file, group) in enumerate(found, start=1)
        for landed in _in_tables(_land_one(file, ordinal, settled.get(file.path), workspace, as_of), group)
    ]


def _recorded_by(group: Sequence[Source], recorded: Recorded) -> dict[str, str]:
    """SHA-256 by file of what the sources of a group have accepted, whichever of its tables they took."""
    accepted = {name: sha256 for source in group for name, sha256 in recorded.get(source.name, {}).items()}
    return {name.rpartition(_PART)[0]: sha256 for name, sha256 in accepted.items() if _PART in name} | accepted


def _to_take(source: Source, workspace: Workspace, as_of: date, recorded: Mapping[str, str]) -> list[FoundFile]:
    """The files of one source that a night reads: all that are found, or the dated ones that are not recorded yet."""
    found = list(find_files(source, as_of))
    if not source.is_dated or not found:
        return found
    copies: dict[str, list[Path]] = {}
    for copy in sorted(workspace.landing.glob(f"*/{source.landed_as or source.name}/*")):
        copies.setdefault(copy.name, []).append(copy)
    return days_to_take(found, lambda file: _is_recorded(file, recorded.get(file.name), copies))


def _in_tables(file: LandedFile, group: Sequence[Source]) -> list[LandedFile]:
    """A landed file as one for each of its tables."""
    if file.refusal:
        tables = [FoundTable(source, refusal=file.refusal) for source in group]
    else:
        tables = tables_of(file.path, file.format, group)
    several = len(tables) > 1
    return [
        replace(
            file,
            file_id=f"{file.file_id}-{number:03d}" if several else file.file_id,
            source=table.source.name,
            entity=table.source.entity,
            name=f"{file.name}{_PART}{table.cell}" if several and table.cell else file.name,
            part=table.place,
            refusal=table.refusal,
            refused_rows=table.rows,
            beside=table.beside,
        )
        for number, table in enumerate(tables, start=1)
    ]


def _is_recorded(file: FoundFile, sha256: str | None, copies: Mapping[str, Sequence[Path]]) -> bool:
    """Whether a file is what was accepted under its name; one that looks as its landed copy does is not read for it."""
    if sha256 is None or file.refusal:
        return False
    looks = _signature(file.path)
    landed = copies.get(_copy_name(sha256, file.path), ())
    return any(_signature(copy) == looks for copy in landed) or _hash(file.path) == sha256


def _signature(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise TransientError(
            f"{path}: was there when the night looked for its files, and is gone; run again."
        ) from error
    return status.st_size, status.st_mtime_ns


@dataclass(frozen=True)
class _Settled:
    """A file that nobody writes any more: how it looked from before it was hashed until after the wait."""

    signature: tuple[int, int]
    sha256: str


def _settled(paths: list[Path], sleep: Callable[[float], None]) -> dict[Path, _Settled]:
    """Return once no file has changed its size or time between two looks; they are hashed meanwhile."""
    settled: dict[Path, _Settled] = {}
    waiting = {path: _signature(path) for path in paths}
    for _ in range(SETTLE_ATTEMPTS):
        if not waiting:
            return settled
        with ThreadPoolExecutor(HASHED_AT_A_TIME) as workers:
            hashed = {path: workers.submit(_hash, path) for path in waiting}
            sleep(SETTLE_SECONDS)
            hashes = {path: one.result() for path, one in hashed.items()}
        now = {path: _signature(path) for path in waiting}
        settled |= {path: _Settled(now[path], hashes[path]) for path in waiting if now[path] == waiting[path]}
        waiting = {path: now[path] for path in waiting if path not in settled}
    if waiting:
        names = ", ".join(str(path) for path in waiting)
        raise TransientError(f"Still being written: {names}. Run again once the export has finished.")
    return settled


def _land_one(file: FoundFile, ordinal: int, settled: _Settled | None, workspace: Workspace, as_of: date) -> LandedFile:
    source = file.source
    landed_as = source.landed_as or source.name
    if file.refusal or settled is None:
        return LandedFile(
            file_id=f"{ordinal:04d}-{landed_as}",
            source=source.name,
            entity=source.entity,
            name=file.name,
            path=file.path,
            sha256="",
            bytes=0,
            format=source.format or _format_by_ending(file.path, source.name),
            observed_on=file.observed_on if source.is_dated else None,
            refusal=file.refusal,
        )
    before, sha256 = settled.signature, settled.sha256
    folder = workspace.landing / as_of.isoformat() / landed_as
    target = folder / _copy_name(sha256, file.path)
    if not _is_landed(target, before[0]):
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _landed_before(workspace, landed_as, target.name, before[0])
        _place(file.path, earlier, target)
        if _signature(file.path) != before:
            target.unlink()
            raise TransientError(f"{file.path}: changed while it was copied; run again once the export has finished.")
    return LandedFile(
        file_id=f"{ordinal:04d}-{landed_as}-{sha256[:12]}",
        source=source.name,
        entity=source.entity,
        name=file.name,
        path=target,
        sha256=sha256,
        bytes=before[0],
        format=source.format or _format_by_ending(file.path, source.name),
        observed_on=file.observed_on if source.is_dated else None,
    )


def _copy_name(sha256: str, path: Path) -> str:
    """Name of the landed copy; of a name that leaves no room for the hash, the end is left out."""
    stem, ending = os.fsencode(path.stem), path.suffix
    room = _NAME_BYTES - len(os.fsencode(ending))
    kept = path.stem if len(stem) <= room else stem[:room].decode(errors="ignore")
    return f"{sha256[:12]}-{kept}{ending}"


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except PermissionError as error:
        raise PermanentError(
            f"{path}: may not be read. Give the account that runs planloop the right to read it."
        ) from error
    except OSError as error:
        raise TransientError(
            f"{path}: could not be read ({error.strerror}). Run again; if it stays so, look at its disk or share."
        ) from error


def _is_landed(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _landed_before(workspace: Workspace, source: str, name: str, size: int) -> Path | None:
    nights = sorted(workspace.landing.iterdir()) if workspace.landing.is_dir() else []
    copies = (night / source / name for night in nights)
    return next((copy for copy in copies if _is_landed(copy, size)), None)


def _place(original: Path, earlier: Path | None, target: Path) -> None:
    """Bring the file to ``target`` by a rename, so that a killed night leaves no half a copy under its name."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        if earlier is None:
            shutil.copyfile(original, part)
            written = original.stat()
            os.utime(part, ns=(written.st_atime_ns, written.st_mtime_ns))
            part.chmod(0o444)
        else:
            os.link(earlier, part)
    except OSError as error:
        raise TransientError(
            f"{original}: could not be copied to {target.parent} ({error.strerror}). Mend that and run again."
        ) from error
    part.replace(target)


def _format_by_ending(path: Path, source: str) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise PermanentError(
            f"{path}: expected a file ending in {', '.join(sorted(ENDINGS))}, found {ending or 'no ending'!r}. "
            f"State `format` for source {source} in sources.yaml."
        )
    return ENDINGS[ending]
