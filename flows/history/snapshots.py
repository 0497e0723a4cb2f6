"""Which snapshots the log holds: the days of each source, and the nights that recorded them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.history.accounting import recorded_nights
from flows.history.late import NextDays
from flows.workspace import Workspace


@dataclass(frozen=True)
class Recorded:
    """The snapshots of one entity that nights before tonight have recorded.

    Attributes:
        workspace: where the log is.
        files: accounting of these nights, of files that were accepted or refused.
    """

    workspace: Workspace
    files: pl.DataFrame

    @classmethod
    def of(cls, workspace: Workspace, entity: str, before: date) -> "Recorded":
        """Read the accounting of the nights before one."""
        files = recorded_nights(workspace, before).filter(pl.col("entity") == entity, pl.col("file") != "")
        return cls(workspace, files.select("source", "file", "status", "as_of_date", "observed_on"))

    @property
    def newest(self) -> date | None:
        """The last day that is recorded of any source."""
        newest = self.files.filter(pl.col("status") == "accepted")["observed_on"].max()
        return newest if isinstance(newest, date) else None

    def next_days(self, day: date, sources: Collection[str]) -> NextDays:
        """By source: the next day after one of which it was recorded completely, as the last night to read it did."""
        later = self.files.filter(pl.col("observed_on") > day, pl.col("source").is_in(list(sources)))
        last_night = pl.col("as_of_date") == pl.col("as_of_date").max().over("source", "observed_on")
        nights = (
            later.filter(last_night)
            .group_by("source", "observed_on", "as_of_date")
            .agg((pl.col("status") == "accepted").all().alias("is_complete"), pl.col("file").sort())
            .filter("is_complete")
            .sort("observed_on")
        )
        found: dict[str, tuple[date, list[Path], list[str]]] = {}
        for source, observed_on, night, _, files in nights.rows():
            quarantine = self.workspace.quarantine_file(night)
            found.setdefault(source, (observed_on, [quarantine] if quarantine.exists() else [], files))
        return found
