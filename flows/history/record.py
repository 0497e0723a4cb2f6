"""The stage ``record``: tonight's validated rows become change rows, staged until the audit has let the night pass."""

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

import duckdb

from flows.errors import PermanentError
from flows.history.accounting import accounting_frame, staged_accounting
from flows.history.change_log import EntityColumns, night_files, nights, open_engine
from flows.history.commit import recover
from flows.history.difference import (
    Change,
    Snapshot,
    create_compared_state,
    keyed_rejects_by_source,
    rows_by_source,
    write_difference,
)
from flows.history.durable import replace_file
from flows.history.late import write_restated
from flows.history.parts import accepted_by_day, accepted_rows, join_parts, tells_deletions
from flows.history.quarantine import gather, rejected_files, staged_quarantine
from flows.history.quarantine_ledger import stage_ledger
from flows.history.snapshots import Recorded
from flows.ingest.accounting import FileAccount
from flows.ingest.settled.memory import asked_files, drop_staged
from flows.workspace import Workspace


class RecordedSource(Protocol):
    """What recording has to know of a source; a source of the configuration is one."""

    @property
    def name(self) -> str:
        """Name in the configuration."""

    @property
    def entity(self) -> str:
        """The canonical entity it fills."""

    @property
    def mode(self) -> Literal["full", "append", "delta"]:
        """``full``: what an export lacks is deleted; ``delta``: what it names as deleted is."""

    @property
    def is_dated(self) -> bool:
        """Whether each of its files shows the day in its name."""

    @property
    def max_shrink(self) -> float:
        """Share by which a full export may fall below the state before it is refused."""


@dataclass
class _Night:
    """What is gathered while the entities are recorded one after the other."""

    as_of: date
    files: dict[tuple[str, str], FileAccount]
    quarantined: list[dict[str, Any]] = field(default_factory=list)

    def day(self, file: FileAccount) -> date:
        """The day that a file shows."""
        return file.observed_on or self.as_of

    def of(self, source: str, day: date) -> list[FileAccount]:
        """The files of one source that show a day."""
        return [file for file in self.files.values() if file.source == source and self.day(file) == day]

    def add(self, source: str, file: str, **counts: int) -> None:
        """Add to the counts of one file."""
        found = self.files[source, file]
        sums = {name: getattr(found, name) + count for name, count in counts.items()}
        self.files[source, file] = replace(found, **sums)


def stage_night(
    workspace: Workspace,
    as_of: date,
    sources: Sequence[RecordedSource],
    files: Sequence[FileAccount],
    *,
    memory_limit: str = "4GB",
    threads: int = 2,
    accept_shrink: Collection[str] = (),
) -> list[FileAccount]:
    """Compare tonight's accepted rows with the state before tonight and stage what differs.

    Reads ``build/accepted`` and ``build/rejected``; writes ``build/night``: ``<entity>.parquet`` for each entity that
    changed, the accounting and the quarantine. The change log itself is not touched; see ``flows.history.commit``.

    Args:
        workspace: where everything is.
        as_of: the night; not older than the newest one recorded.
        sources: all configured sources.
        files: the accounting of validation, one entry per file.
        memory_limit: of the engine; more is spilled to disk.
        threads: of the engine.
        accept_shrink: names of full sources that may shrink tonight by any share.

    Returns:
        The accounting with what recording adds: new, changed and deleted rows, files refused as shrunk.

    Raises:
        PermanentError: an older night, or a file whose rows do not balance.
    """
    recover(workspace)
    refuse_older_night(workspace, as_of)
    _check_nothing_lost(files)
    _check_names(files)
    staged = workspace.build / "night"
    shutil.rmtree(workspace.build / "parts", ignore_errors=True)
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    night = _Night(as_of, {(file.source, file.file): file for file in files})
    with open_engine(workspace, memory_limit=memory_limit, threads=threads) as connection:
        for entity in dict.fromkeys(source.entity for source in sources):
            of_entity = [source for source in sources if source.entity == entity]
            _stage_entity(connection, workspace, night, of_entity, accept_shrink)
        recorded = list(night.files.values())
        _check_nothing_lost(recorded)
        for file in recorded:
            if file.status != "accepted":  # what was not recorded is not remembered
                drop_staged(workspace, file.source)
        quarantine = gather(rejected_files(workspace), night.quarantined)
        modes = {source.name: source.mode for source in sources}
        stage_ledger(connection, workspace, as_of, quarantine, recorded, modes)
    replace_file(staged_accounting(workspace), accounting_frame(as_of, recorded).write_parquet)
    replace_file(staged_quarantine(workspace), quarantine.write_parquet)
    return recorded


def _check_nothing_lost(files: Sequence[FileAccount]) -> None:
    for file in files:
        file.check()


def _check_names(files: Sequence[FileAccount]) -> None:
    places = [(file.source, file.file) for file in files]
    twice = sorted({place for place in places if places.count(place) > 1})
    if twice:
        raise PermanentError(
            "expected the files of a source to have different names, found twice: "
            + ", ".join(f"{file} in {source}" for source, file in twice)
            + ". Give the source one path whose wildcard covers the folders, so that names include them."
        )


def refuse_older_night(workspace: Workspace, as_of: date) -> None:
    """Hold the change log to its order: a night can be added after the newest one, or replace it.

    Raises:
        PermanentError: the change log has a later night.
    """
    later = [night for night in nights(workspace) if night > as_of]
    if later:
        raise PermanentError(
            f"expected an as-of date of {later[-1]} or later, found {as_of}: the change log already holds {len(later)} "
            f"later night(s) that were compared with what was there before. To see {as_of} again, rebuild it as it was "
            f"recorded; new input can only be recorded from {later[-1]} on."
        )


def _stage_entity(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    night: _Night,
    sources: Sequence[RecordedSource],
    accept_shrink: Collection[str],
) -> None:
    """Stage the changes of one entity: of each day that tonight's files show, in the order of days."""
    entity = sources[0].entity
    columns = EntityColumns.of(entity)
    accepted = accepted_by_day(connection, workspace.build / "accepted" / entity, night.as_of)
    _check_rows(connection, night, entity, [path for paths in accepted.values() for path in paths])
    names = {source.name for source in sources}
    days = sorted({night.day(file) for file in night.files.values() if file.source in names})
    recorded = Recorded.of(workspace, entity, night.as_of) if days != [night.as_of] else None
    staged: list[Path] = []
    for number, day in enumerate(days):
        parts = workspace.build / "parts" / entity
        own, again = parts / f"{number:05d}-a.parquet", parts / f"{number:05d}-b.parquet"
        whole = Snapshot(
            as_of=night.as_of,
            observed_on=day,
            columns=columns,
            accepted=tuple(accepted.get(day, ())),
            sources=tuple(name for name in sorted(names) if any(f.status == "accepted" for f in night.of(name, day))),
            deleting=(),
            repeating=tuple(source.name for source in sources if source.is_dated and source.mode != "full"),
            rejected=tuple(rejected_files(workspace)),
            files=tuple(file.file for file in night.files.values() if file.source in names and night.day(file) == day),
            state=(*night_files(workspace, entity, night.as_of), *staged),
            is_late=recorded is not None and recorded.newest is not None and day <= recorded.newest,
            has_deletions=any(source.mode == "delta" for source in sources) and tells_deletions(connection, accepted),
            settled=tuple(asked_files(workspace, entity)),
        )
        if whole.settled:
            create_compared_state(connection, whole)
        elif any(file.rows_settled for file in night.files.values() if file.source in names):
            raise PermanentError(
                f"{entity}: what is to be compared beside the fresh rows is gone; run the night again."
            )
        snapshot = _without_shrunk(connection, night, whole, sources, accept_shrink)
        if not snapshot.sources:
            continue
        _account_changes(night, sources, snapshot.observed_on, write_difference(connection, snapshot, own))
        if snapshot.is_late and recorded is not None:
            full = {source.name for source in sources if source.mode == "full"}
            write_restated(connection, snapshot, own, recorded.next_days(day, full), again)
        staged += [path for path in (own, again) if path.exists()]
    join_parts(connection, columns, staged, workspace.build / "night" / f"{entity}.parquet")


def _without_shrunk(
    connection: duckdb.DuckDBPyConnection,
    night: _Night,
    snapshot: Snapshot,
    sources: Sequence[RecordedSource],
    accept_shrink: Collection[str],
) -> Snapshot:
    """The snapshot without the sources whose full exports have shrunk too much; those left may delete."""
    day = snapshot.observed_on
    complete = [source for source in sources if source.mode == "full" and _is_complete(night.of(source.name, day))]
    known = _state_rows(connection, snapshot) if complete else {}
    keyed = (
        keyed_rejects_by_source(connection, snapshot.columns.entity, snapshot.rejected, snapshot.files) if known else {}
    )
    in_use = list(snapshot.sources)
    for source in complete:
        settled = sum(file.rows_settled for file in night.of(source.name, day))
        rows = known.get(source.name, 0) + settled, keyed.get(source.name, 0)
        if source.name not in accept_shrink and (message := _shrunk(night, day, source, *rows)):
            _refuse(night, day, source, message)
            in_use.remove(source.name)
    deleting = tuple(source.name for source in complete if source.name in in_use)
    return replace(snapshot, sources=tuple(in_use), deleting=deleting)


def _is_complete(files: Sequence[FileAccount]) -> bool:
    """Whether a full source may delete: it has files tonight, and none was refused or missing."""
    return bool(files) and all(file.status == "accepted" for file in files)


def _check_rows(connection: duckdb.DuckDBPyConnection, night: _Night, entity: str, accepted: Sequence[Path]) -> None:
    """Hold the accepted rows that lie on disk to what validation says it accepted."""
    found = accepted_rows(connection, accepted)
    faults = []
    for file in night.files.values():
        if file.entity != entity or file.status != "accepted":
            continue
        rows = found.pop((file.source, file.file), 0)
        if rows != file.rows_accepted - file.rows_merged - file.rows_settled:
            faults.append(
                f"{file.source}: {file.file}: {file.rows_accepted} rows accepted, {file.rows_merged} of them merged, "
                f"{rows} found" + (f", {file.rows_settled} settled" if file.rows_settled else "")
            )
    faults += [
        f"{source}: {file}: {rows} rows found, the file is not in the accounting"
        for (source, file), rows in found.items()
    ]
    if faults:
        raise PermanentError(
            f"build/accepted/{entity}: expected the rows that validation accepted. Run the night again "
            "from its start; if that does not help, report it with these lines:\n" + "\n".join(faults)
        )


def _state_rows(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> dict[str, int]:
    if not snapshot.state:
        return {}
    return rows_by_source(connection, snapshot.state_query(connection, only_key=True))


def _shrunk(night: _Night, day: date, source: RecordedSource, known: int, keyed: int) -> str | None:
    """Why the files of a full source are refused as shrunk, or None.

    Args:
        known: rows of the source in the state before tonight.
        keyed: quarantined rows of tonight whose key can be read. A row without a key stands for no known row: an export
            that lost its ids has shrunk, however many rows it has.
    """
    tonight = sum(file.rows_accepted - file.rows_merged for file in night.of(source.name, day)) + keyed
    if tonight >= (1 - source.max_shrink) * known:
        return None
    return (
        f"expected at least {1 - source.max_shrink:.0%} of the {known} rows known from this source, found {tonight}: "
        "refused as a whole, nothing was deleted. Check the export; if the rows are really gone, run the night again "
        f"with --accept-shrink {source.name}."
    )


def _refuse(night: _Night, day: date, source: RecordedSource, message: str) -> None:
    for file in night.of(source.name, day):
        night.files[file.source, file.file] = replace(
            file, status="refused", message=message, rows_accepted=0, rows_merged=0, rows_quarantined=file.rows_in
        )
        night.quarantined.append(
            _quarantined(
                night.as_of,
                file,
                reason_code="file_refused",
                reason_en=message,
                reason_zh=(
                    f"导出的数据比已记录的少得多(最多允许减少 {source.max_shrink:.0%}),"
                    "整个文件未被采用,没有删除任何数据。请检查导出。"
                ),
            )
        )


def _quarantined(as_of: date, file: FileAccount, **values: Any) -> dict[str, Any]:
    place = {"as_of_date": as_of, "source": file.source, "entity": file.entity, "file": file.file}
    return {**place, **values}


def _account_changes(night: _Night, sources: Sequence[RecordedSource], day: date, changes: Sequence[Change]) -> None:
    """Add the counts to the files; what a full export lacks, to the first file of its source."""
    full = {source.name for source in sources if source.mode == "full"}
    for change in changes:
        if change.change == "deleted" and change.source in full:
            first = night.of(change.source, day)[0]
            night.add(first.source, first.file, rows_deleted=change.rows)
        elif change.change not in ("restated", "withdrawn"):
            night.add(change.source, change.file, **{f"rows_{change.change}": change.rows})
