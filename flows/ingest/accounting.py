"""What became of each input file: the promise ``in = accepted + quarantined``, file by file."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from flows.errors import PermanentError

Status = Literal["accepted", "refused", "missing"]


@dataclass(frozen=True)
class FileAccount:
    """One input file of one night.

    Attributes:
        as_of_date: date of the night.
        source: name of the source.
        entity: canonical entity it fills.
        status: accepted (its rows were judged one by one), refused (as a whole) or missing (no file).
        file: name of the file; empty for a missing one.
        format: csv, parquet, jsonl or xlsx; empty for a missing file.
        sha256: hash of the content; empty for a missing file.
        message: why it was refused or is missing.
        rows_in: records in the file; 0 where a refused file cannot be counted.
        rows_accepted: accepted records, repeats included.
        rows_quarantined: records with at least one fault.
        rows_merged: accepted records that repeat another one and are stored once.
        freshest_on: newest date in the entity's freshness column among the accepted rows.
        unknown_columns: columns that are neither mapped nor ignored.
        file_id: names the file's results in ``build/accepted`` and ``build/rejected``; None for a missing file.
    """

    as_of_date: date
    source: str
    entity: str
    status: Status
    file: str = ""
    format: str = ""
    sha256: str = ""
    message: str | None = None
    rows_in: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_merged: int = 0
    freshest_on: date | None = None
    unknown_columns: tuple[str, ...] = field(default=())
    file_id: str | None = None

    def check(self) -> None:
        """Raise unless every record of the file is accounted for."""
        if self.rows_in != self.rows_accepted + self.rows_quarantined:
            raise PermanentError(
                f"{self.source}, {self.file}: expected {self.rows_in:,} records accepted or quarantined, found "
                f"{self.rows_accepted:,} accepted and {self.rows_quarantined:,} quarantined. Nothing was recorded. "
                "This is a fault of planloop: please report it with the file."
            )
