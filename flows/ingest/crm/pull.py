"""The order of a pull: go on where the last one ended, land what changed, find what is gone, carry what was refused.

A night begins at the end cursor of the newest night that the change log has recorded: what a night pulled and never
recorded is pulled again. Within one night a pull goes on where it was cut off, and a rerun after its end adds only what
has changed since.
"""

import hashlib
import logging
import re
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.config.sources import Source
from flows.errors import ConfigError, PermanentError, TransientError
from flows.ingest.crm.earlier import Earlier
from flows.ingest.crm.http import Limiter, Session
from flows.ingest.crm.landed import (
    LandedPull,
    digest,
    encoded,
    last_digests,
    last_versions,
    living,
    read_sync,
)
from flows.ingest.crm.protocol import Connector, Page, Record
from flows.ingest.crm.registry import connector
from flows.ingest.landing import LandedFile
from flows.operate.logs import log_event
from flows.workspace import Workspace

_SHOWN = 100


@dataclass(frozen=True)
class Surroundings:
    """What a pull takes from outside, so that tests can give it.

    Attributes:
        env: values by the names that ``connect.secrets`` uses.
        now: seconds since the epoch.
        monotonic: seconds that never go back.
        sleep: waits.
    """

    env: Mapping[str, str]
    now: Callable[[], float]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep


def pull_sources(
    sources: Mapping[str, Source],
    workspace: Workspace,
    as_of: date,
    recorded: Collection[date],
    outside: Surroundings,
) -> list[LandedFile]:
    """Pull every source that has ``connect`` into landing.

    Args:
        sources: the configured sources, in order.
        workspace: where landing lies.
        as_of: date of the night.
        recorded: nights of the change log.
        outside: secrets, clock and sleep.

    Returns:
        One file of JSON lines a source, in configured order; that of a source whose CRM refused says why.

    Raises:
        ConfigError: an option or secret that cannot work.
        PullFailed: a CRM could not be reached, and its source may not fail (``refused: error``); running again goes on
            from there.
    """
    pulls, faults = [], []
    for source in sources.values():
        if source.connect is None:
            continue
        try:
            earlier = Earlier(source, workspace, as_of, recorded)
            pulls.append(_Pull(source, connector(source, outside.env), earlier, workspace, as_of, outside))
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return [_run(pull) for pull in pulls]


def _run(pull: "_Pull") -> LandedFile:
    try:
        return pull.run()
    except PermanentError as error:
        return pull.refused(str(error))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        log_event(
            "land", "an answer that no connector expects", logging.ERROR, source=pull.source.name, found=repr(error)
        )
        return pull.refused(
            f"{place(pull.connector)}: expected an answer as its vendor documents it, found none in it of "
            f"{str(error)[:_SHOWN]} ({type(error).__name__}). Check `object` and `url`; if they are right, report this."
        )
    except TransientError as error:
        if pull.source.refused == "error":
            raise
        return pull.refused(str(error))


@dataclass
class _Pull:
    """One source in one night."""

    source: Source
    connector: Connector
    earlier: Earlier
    workspace: Workspace
    as_of: date
    outside: Surroundings
    landed: LandedPull = field(init=False)
    session: Session = field(init=False)
    _counted: int = 0
    _is_rerun: bool = False
    _seen: dict[str, bytes] = field(default_factory=dict)

    def run(self) -> LandedFile:
        """Pull until there is nothing more, and hand over what was landed."""
        self.session = _session(self.connector, self.outside)
        self.landed = self._open()
        self._counted = 0
        if self.landed.sync.phase == "pull":
            self._pull()
        if self.landed.sync.phase == "sweep":
            self._sweep()
        if self.landed.sync.phase == "close":
            self._close()
        sync = self.landed.sync
        log_event(
            "land",
            "pulled",
            source=self.source.name,
            records=sync.records,
            pages=sync.pages,
            requests=self.session.requests,
        )
        with self.landed.records.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._file(self.landed.records, sha256)

    def refused(self, why: str) -> LandedFile:
        """A file without rows that says why there are none."""
        return self._file(self._folder / f"{self._name}.jsonl", "refused", refusal=why)

    # -- where to go on ------------------------------------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        return self.workspace.landing / self.as_of.isoformat() / self.source.name

    @property
    def _name(self) -> str:
        return re.sub(r"[^\w.-]", "_", self.connector.connect.object) or "records"

    def _open(self) -> LandedPull:
        """The night's folder at the point from which the pull goes on; one that does not fit is begun anew."""
        fresh = self.earlier.beginning()
        sync = read_sync(self._folder)
        fits = sync is not None and (sync.shape, sync.base) == (fresh.shape, fresh.base)
        again = sync is not None and sync.phase == "complete"
        if sync is None or not fits or (again and self.source.mode == "full"):
            shutil.rmtree(self._folder, ignore_errors=True)
            sync = fresh
        landed = LandedPull(self._folder, self._name, sync)
        if again and sync is not fresh:
            self._is_rerun = True
            self._seen = last_digests(landed.records, self.connector.key)
            landed.save(phase="pull")
        return landed

    # -- the steps -----------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        for page in self.connector.pull(self.session, self.landed.sync.cursor):
            self._land(page)
        sweeps = self.connector.tells_deleted and self._sweep_is_due()
        self.landed.save(phase="sweep" if sweeps else "close", sweep_cursor=None, **self._requests())
        if sweeps:
            self.landed.clear_ids()

    def _land(self, page: Page) -> None:
        """Append a page: of a record that stands in it twice the last one, and nothing that a rerun landed before."""
        key, sync = self.connector.key, self.landed.sync
        lines = {str(record[key]): encoded(record) for record in page.records}
        new = {identifier: line for identifier, line in lines.items() if self._seen.get(identifier) != digest(line)}
        self._seen.update({identifier: digest(line) for identifier, line in new.items()} if self._is_rerun else {})
        gone = [identifier for identifier in (*sync.gone, *page.gone) if identifier not in lines]
        self.landed.append(
            self.landed.records,
            list(new.values()),
            cursor=page.cursor,
            gone=tuple(dict.fromkeys(gone)) if self.connector.tells_deleted else (),
            records=sync.records + len(new),
            pages=sync.pages + 1,
            **self._requests(),
        )

    def _sweep_is_due(self) -> bool:
        days = self.connector.connect.options.get("sweep_days", self.connector.sweep_days)
        last = self.landed.sync.swept_on
        if last is None:  # the first full read finds nothing that could be gone
            return any(path != self.landed.records for path in self._known())
        return last != self.as_of.isoformat() and (self.as_of - date.fromisoformat(last)).days >= int(days)

    def _sweep(self) -> None:
        """Look at all ids; what was landed and is not among them is gone."""
        pages = self.connector.sweep(self.session, self.landed.sync.sweep_cursor)
        if pages is None:
            self.landed.save(phase="close")
            return
        for page in pages:
            lines = [encoded({"id": str(record[self.connector.key])}) for record in page.records]
            self.landed.append(self.landed.ids, lines, sweep_cursor=page.cursor, **self._requests())
        known = living(self._known(), self.connector.key, self.connector.deleted or "")
        found = living([self.landed.ids] if self.landed.ids.stat().st_size else [], "id", "")
        gone = known.filter(~known.is_in(found.implode()))
        if len(gone) > self.source.max_shrink * max(len(known), 1):
            raise PermanentError(
                f"{self.session.place}: expected at least {1 - self.source.max_shrink:.0%} of the {len(known)} known "
                f"records, found {len(known) - len(gone)}: nothing was deleted. Check what the credentials may see; if "
                "the records are really gone, raise `max_shrink` of the source for one night."
            )
        missed = found.filter(~found.is_in(known.implode())).to_list()
        for records in self.connector.fetch(self.session, missed) if missed else ():
            self._land(Page(records, self.landed.sync.cursor or {}))
        merged = tuple(dict.fromkeys((*self.landed.sync.gone, *sorted(gone.to_list()))))
        self.landed.save(phase="close", gone=merged, swept_on=self.as_of.isoformat())

    def _close(self) -> None:
        """Land what is gone as its last version, marked as deleted, and again what the night before quarantined."""
        sync = self.landed.sync
        records = [*self._tombstones(), *([] if sync.carried else self._carried())]
        self.landed.append(
            self.landed.records,
            [encoded(record) for record in records],
            phase="complete",
            gone=(),
            carried=True,
            records=sync.records + len(records),
            swept_on=sync.swept_on or (self.as_of.isoformat() if sync.base is None else None),
            **self._requests(),
        )

    def _tombstones(self) -> list[Record]:
        deleted, gone = self.connector.deleted, self.landed.sync.gone
        if deleted is None or not gone:
            return []
        last = last_versions(self._known(), self.connector.key, gone)
        known = (last[identifier] for identifier in gone if identifier in last)
        return [{**record, deleted: True} for record in known if not is_true(record.get(deleted))]

    def _carried(self) -> list[Record]:
        """Records that were quarantined on the night before and have not come again.

        The vendor does not deliver an unchanged record twice, and what mends it may be the mapping or another sheet.
        """
        sync, key = self.landed.sync, self.connector.key
        if sync.base is None:
            return []
        records = self.earlier.quarantined(date.fromisoformat(sync.base))
        ids = {str(record[key]) for record in records}
        ids -= last_versions(self._filled(), key, ids).keys()
        last = last_versions(self._known(), key, ids)
        return [record for record in records if last.get(str(record[key])) == record]

    def _known(self) -> list[Path]:
        """Files of records of the recorded nights and of this one, oldest first, without those of another CRM."""
        return self.earlier.records(self.landed.sync.origin) + self._filled()

    def _filled(self) -> list[Path]:
        """This night's file of records, once it holds one."""
        return [self.landed.records] if self.landed.records.stat().st_size else []

    def _requests(self) -> dict[str, int]:
        """The count of requests, with those sent since it was last saved."""
        sent = self.session.requests - self._counted
        self._counted = self.session.requests
        return {"requests": self.landed.sync.requests + sent}

    def _file(self, path: Path, sha256: str, *, refusal: str | None = None) -> LandedFile:
        return LandedFile(
            file_id=f"0000-{self.source.name}-{sha256[:12]}",
            source=self.source.name,
            entity=self.source.entity,
            name=path.name,
            path=path,
            sha256=sha256,
            bytes=0 if refusal else path.stat().st_size,
            format="jsonl",
            refusal=refusal,
        )


def is_true(value: object) -> bool:
    """Whether a vendor's flag is set, as a boolean or as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def place(connector: Connector) -> str:
    """How errors name a source that is pulled."""
    return f"{connector.source.name} ({connector.connect.crm} {connector.connect.object})"


def _session(connector: Connector, outside: Surroundings) -> Session:
    limiter = None
    if connector.limit:
        limiter = Limiter(*connector.limit, outside.sleep, outside.monotonic)
    return Session(
        place(connector),
        connector.base_url,
        authorize=connector.authorize,
        judge=connector.judge,
        secrets=connector.secrets.values(),
        limiter=limiter,
        sleep=outside.sleep,
        now=outside.now,
    )
