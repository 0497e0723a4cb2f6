"""Where one company's runtime state lies on disk. Paths only; nothing is created here but by ``prepare``."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """The folders of one company. ``root`` is absolute."""

    root: Path

    @property
    def inputs(self) -> Path:
        """Input files of the demo company; a real company's sources name their own folders."""
        return self.root / "inputs"

    @property
    def landing(self) -> Path:
        """Originals, by date and hash."""
        return self.root / "landing"

    @property
    def history(self) -> Path:
        """The change log: ``history/<entity>/<as_of>.parquet``, one file a night that changed something."""
        return self.root / "history"

    @property
    def quarantine(self) -> Path:
        """Rows that were not accepted: ``quarantine/<as_of>.parquet``."""
        return self.root / "quarantine"

    @property
    def settled(self) -> Path:
        """What the last night accepted, row by row, as hashes; without it the next night judges every row."""
        return self.root / "settled"

    @property
    def forecasts(self) -> Path:
        """The forecast ledger: ``forecasts/<as_of>/<run_id>.parquet``, never rewritten."""
        return self.root / "forecasts"

    @property
    def plans(self) -> Path:
        """Allocations of plan versions that are or were in force: ``plans/<version>.parquet`` and ``.json``."""
        return self.root / "plans"

    @property
    def build(self) -> Path:
        """Tonight's candidate and all that is needed to resume it."""
        return self.root / "build"

    @property
    def published(self) -> Path:
        """What BI reads."""
        return self.root / "published"

    @property
    def reports(self) -> Path:
        """``reports/<run_id>/`` and the link ``latest``."""
        return self.root / "reports"

    @property
    def logs(self) -> Path:
        """One JSON-lines file a run."""
        return self.root / "logs"

    @property
    def outbox(self) -> Path:
        """Mails as files, where no mail server is configured."""
        return self.root / "outbox"

    @property
    def state_file(self) -> Path:
        """File of the default database; the first run makes it."""
        return self.root / "state.sqlite"

    @property
    def state_url(self) -> str:
        """Default database of the operational state."""
        return f"sqlite:///{self.state_file}"

    @property
    def lock(self) -> Path:
        """The file whose OS lock is the mutex of a night."""
        return self.root / "night.lock"

    def build_log(self, entity: str) -> Path:
        """The change log of ``entity`` as tonight's build reads it (links to the nights up to the as-of date)."""
        return self.build / "log" / entity

    def build_input(self, name: str) -> Path:
        """A small table made for tonight's build: run, stage, calendar, alert_rule, alert, source_file, forecast."""
        return self.build / "inputs" / f"{name}.parquet"

    @property
    def candidate(self) -> Path:
        """The DuckDB file that is built and audited, and becomes the published one."""
        return self.build / "candidate.duckdb"

    def quarantine_file(self, as_of: date) -> Path:
        """Quarantine of one night."""
        return self.quarantine / f"{as_of.isoformat()}.parquet"

    def prepare(self) -> None:
        """Make the folders that every command may write to."""
        for folder in (self.root, self.history, self.quarantine, self.forecasts, self.logs, self.reports):
            folder.mkdir(parents=True, exist_ok=True)
