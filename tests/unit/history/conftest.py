"""A workspace and a short way to put one night's validated rows into it, as validation leaves them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.history.assemble import assemble
from flows.history.change_log import EntityColumns, night_files, open_engine
from flows.history.commit import commit_night
from flows.history.quarantine import QUARANTINE
from flows.history.record import stage_night
from flows.history.state import state_query
from flows.ingest.accounting import FileAccount
from flows.workspace import Workspace
from schemas.registry import ENTITIES

Rows = Mapping[str, str]
"""Contact id → name: what a little export of contacts says."""


@dataclass(frozen=True)
class Source:
    """A source as the configuration states it."""

    name: str = "crm"
    entity: str = "contact"
    mode: str = "full"
    max_shrink: float = 1.0
    is_dated: bool = False


@dataclass
class Nights:
    """Runs nights of contact exports in one workspace."""

    workspace: Workspace
    sources: tuple[Source, ...] = (Source(),)

    def validate(
        self,
        exports: Mapping[str, Iterable[tuple[str, str]] | None],
        rejected: Mapping[str, Iterable[str | None]] | None = None,
        days: Mapping[str, date] | None = None,
    ) -> list[FileAccount]:
        """Leave ``build`` as validation would. ``exports``: rows by file (``source/name``); None is a refused file.

        A name of None is a row that says that its key is deleted. ``rejected``: keys of quarantined rows by file; None
        for a row whose key cannot be read. ``days``: the days that dated files show.
        """
        import shutil

        shutil.rmtree(self.workspace.build, ignore_errors=True)
        files = []
        for place, rows in exports.items():
            source, file = place.split("/")
            wrong = list((rejected or {}).get(place, ()))
            day = (days or {}).get(place)
            if rows is None:
                files.append(FileAccount(source, file, "contact", "csv", "0", "refused", "unreadable", observed_on=day))
                continue
            accepted = [
                {"contact_id": key, "name": name, "_source": source, "_file": file, "_row": number}
                | ({"_observed_on": day} if day else {})
                | ({"_deleted": name is None} if self.mode(source) == "delta" else {})
                for number, (key, name) in enumerate(rows, start=2)
            ]
            own = {"_source": pl.String(), "_file": pl.String(), "_row": pl.Int64()}
            own |= {"_observed_on": pl.Date()} if day else {}
            own |= {"_deleted": pl.Boolean()} if self.mode(source) == "delta" else {}
            schema = ENTITIES["contact"].dtypes() | own
            folder = self.workspace.build / "accepted" / "contact"
            folder.mkdir(parents=True, exist_ok=True)
            if accepted:
                pl.DataFrame(accepted, schema=schema).write_parquet(folder / f"{source}-{file}.parquet")
            cells = [
                {"source": source, "entity": "contact", "file": file, "row": 100 + number, "reason_code": "required",
                 "key": json.dumps({"contact_id": key}) if key else None}
                for number, key in enumerate(wrong)
            ]  # fmt: skip
            self._reject(f"{source}-{file}", cells)
            count = len(accepted)
            counts = (count + len(wrong), count, len(wrong))
            account = FileAccount(source, file, "contact", "csv", "0", "accepted", None, *counts, observed_on=day)
            files.append(account)
        return files

    def mode(self, source: str) -> str:
        """The mode of a source."""
        return next(known.mode for known in self.sources if known.name == source)

    def _reject(self, name: str, cells: list[dict]) -> None:
        folder = self.workspace.build / "rejected"
        folder.mkdir(parents=True, exist_ok=True)
        if cells:
            pl.DataFrame(cells, schema=QUARANTINE).write_parquet(folder / f"{name}.parquet")

    def stage(
        self, as_of: date, exports: Mapping, rejected: Mapping | None = None, days: Mapping | None = None, **options
    ) -> list[FileAccount]:
        """Validate and record one night without committing it."""
        files = self.validate(exports, rejected, days)
        return stage_night(self.workspace, as_of, self.sources, files, threads=1, **options)

    def run(
        self, as_of: date, exports: Mapping, rejected: Mapping | None = None, days: Mapping | None = None, **options
    ) -> list[FileAccount]:
        """Validate, record, assemble and commit one night."""
        files = self.stage(as_of, exports, rejected, days, **options)
        assemble(self.workspace, as_of, rebuild=False)
        commit_night(self.workspace, as_of)
        return files

    def run_rows(self, as_of: date, rows: Rows, **options) -> list[FileAccount]:
        """One night with a single full export."""
        return self.run(as_of, {"crm/contacts.csv": sorted(rows.items())}, **options)

    def state(self, as_of: date) -> dict[str, str]:
        """Contact id → name as of a night, by the state query over the change log."""
        files = night_files(self.workspace, "contact", as_of, including=True)
        if not files:
            return {}
        with open_engine(self.workspace, memory_limit="1GB", threads=1) as connection:
            columns = EntityColumns.of("contact")
            query = state_query(connection, columns, files)
            rows = connection.execute(f"select contact_id, name from ({query})").fetchall()
        assert len(rows) == len(dict(rows)), "a key stands twice in the state"
        return dict(rows)

    def history(self, as_of: date) -> list[tuple[str, date, str, str]]:
        """(contact id, day, change, name) of everything that the build of a recorded night reads, by key and day."""
        assemble(self.workspace, as_of, rebuild=True, threads=1)
        files = sorted(self.workspace.build_log("contact").glob("*.parquet"))
        log = pl.concat([pl.read_parquet(path) for path in files], how="diagonal")
        return log.select("contact_id", "_observed_on", "_change", "name").sort("contact_id", "_observed_on").rows()

    def change_rows(self, as_of: date) -> list[tuple]:
        """(contact id, name, change) of one committed night, in file order."""
        path = self.workspace.history / "contact" / f"{as_of}.parquet"
        return pl.read_parquet(path).select("contact_id", "name", "_change").rows() if path.exists() else []


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    workspace = Workspace(tmp_path / "workspace")
    workspace.prepare()
    return workspace


@pytest.fixture
def nights_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Nights]:
    """Makes independent workspaces."""

    def make(*sources: Source) -> Nights:
        workspace = Workspace(tmp_path_factory.mktemp("workspace"))
        workspace.prepare()
        return Nights(workspace, sources or (Source(),))

    return make
