"""Nights of pulling from a vendor's server, without the rest of a night: what is landed, and what of it counts."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flows.config.sources import Sources
from flows.ingest.crm.http import PullFailed, PullRefused
from flows.ingest.crm.landed import Sync, read_sync
from flows.ingest.crm.pull import Surroundings, is_true, pull_sources
from flows.ingest.landing import LandedFile
from flows.workspace import Workspace
from tests.crm_servers.server import CrmServer

FIRST = date(2026, 11, 2)


class Pulls:
    """One source of one server, night after night.

    Attributes:
        waits: seconds of every wait; the server's clock goes on by them.
        now: the client's clock; at 1970 unless a test sets it, for the vendor's is what counts.
        failures: pulls that failed or were refused and were started again.
    """

    def __init__(self, server: CrmServer, root: Path, env: dict[str, str], **source: Any) -> None:
        self.server, self.workspace, self.env = server, Workspace(root), env
        self.waits: list[float] = []
        self.recorded: list[date] = []
        self.failures = 0
        self.now: Callable[[], float] = lambda: 0.0
        self.set(**source)

    def set(self, **source: Any) -> None:
        self.sources = Sources.model_validate({"sources": {"live": source}}).sources

    def pull(self, as_of: date) -> LandedFile:
        outside = Surroundings(self.env, sleep=self._sleep, now=self.now, monotonic=self._monotonic)
        file = pull_sources(self.sources, self.workspace, as_of, self.recorded, outside)[0]
        if file.refusal:
            raise PullRefused(file.refusal)
        return file

    def night(self, *, tries: int = 1) -> LandedFile:
        """The next night, recorded; tried again in its own right when the server fails."""
        as_of = self.recorded[-1] + timedelta(days=1) if self.recorded else FIRST
        for left in reversed(range(tries)):
            try:
                file = self.pull(as_of)
            except (PullFailed, PullRefused) as error:
                self.failures += 1
                if not left or (isinstance(error, PullRefused) and "Check the credentials" not in str(error)):
                    raise  # a request that breaks the contract is no fault of the server
            else:
                self.recorded.append(as_of)
                return file
        raise AssertionError

    def sync(self, as_of: date | None = None) -> Sync:
        found = read_sync(self.workspace.landing / (as_of or self.recorded[-1]).isoformat() / "live")
        assert found is not None
        return found

    def landed(self, key: str) -> dict[str, dict[str, Any]]:
        """The last landed version of every record, by id, over all recorded nights."""
        found = {}
        for night in self.recorded:
            folder = self.workspace.landing / night.isoformat() / "live"
            for path in folder.glob("*.jsonl"):
                if path.name != "ids.jsonl":
                    found.update({str(record[key]): record for record in lines(path)})
        return found

    def living(self, key: str, deleted: str) -> dict[str, dict[str, Any]]:
        """Those of the landed records that are not marked as deleted."""
        return {i: record for i, record in self.landed(key).items() if not is_true(record.get(deleted))}

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        with self.server.lock:
            self.server.clock += timedelta(seconds=seconds)

    def _monotonic(self) -> float:
        return self.server.clock.timestamp()


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a landed file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
