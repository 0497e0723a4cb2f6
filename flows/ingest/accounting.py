"""What became of each input file: the promise ``in = accepted + quarantined``, file by file."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from flows.errors import PermanentError

_DAYS = ("freshest_on", "observed_on")
Status = Literal["accepted", "refused", "missing"]


@dataclass(frozen=True)
class FileAccount:
    """One input file of one night, first as judged at the border, then with what it changed in the log.

    Attributes:
        source: name of the source.
        file: the file's name as configured, never a path of this machine; empty for a missing one.
        entity: canonical entity it fills.
        format: csv, parquet, jsonl, xlsx or xls; empty for a missing file.
        sha256: hash of the content; None for a missing file.
        status: accepted (its rows were judged one by one), refused (as a whole) or missing (no file).
        message: why it was refused or is missing.
        rows_in: records in the file; 0 where a refused file cannot be counted.
        rows_accepted: accepted records, repeats included.
        rows_quarantined: records with at least one fault.
        rows_set_aside: rows of a sheet that are no records (totals, repeated headers, notes); not among ``rows_in``.
        rows_merged: accepted records that repeat another one and are stored once.
        rows_settled: accepted records that stand as they stood last night; they are not in ``build/accepted``.
        rows_new: keys that were not known before tonight.
        rows_changed: keys whose content differs from what was known.
        rows_deleted: keys that a full export no longer has, counted at the first file of its source.
        freshest_on: newest date in the entity's freshness column among the accepted rows.
        unknown_columns: columns that are neither mapped nor ignored.
        observed_on: the day that the file shows; None for a missing file.
        columns: the file's columns in order and what they hold: text, number, date, boolean or empty.
        dialect: encoding and delimiter of a text file.
        drift_en: what is different about the file since the last night that had it, in words; None for nothing.
        drift_zh: the same in Chinese.
        notice_en: rules that were applied in reading the file, in words; None for none.
        notice_zh: the same in Chinese.
        fresh_within_hours: how old the newest record of the source may be; None where nobody holds it to that.
    """

    source: str
    file: str
    entity: str
    format: str
    sha256: str | None
    status: Status
    message: str | None = None
    rows_in: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_set_aside: int = 0
    rows_merged: int = 0
    rows_settled: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_deleted: int = 0
    freshest_on: date | None = None
    unknown_columns: tuple[str, ...] = ()
    observed_on: date | None = None
    columns: dict[str, str] = field(default_factory=dict)
    dialect: str | None = None
    drift_en: str | None = None
    drift_zh: str | None = None
    notice_en: str | None = None
    notice_zh: str | None = None
    fresh_within_hours: float | None = None

    def check(self) -> None:
        """Raise unless every record of the file is accounted for."""
        if self.rows_in != self.rows_accepted + self.rows_quarantined:
            raise PermanentError(
                f"{self.source}, {self.file}: expected {self.rows_in:,} records accepted or quarantined, found "
                f"{self.rows_accepted:,} accepted and {self.rows_quarantined:,} quarantined. Nothing was recorded. "
                "This is a fault of planloop: please report it with the file."
            )

    def to_record(self) -> dict[str, Any]:
        """The account as plain values, fit for JSON."""
        days = {name: day.isoformat() if (day := getattr(self, name)) else None for name in _DAYS}
        return {**asdict(self), **days, "unknown_columns": list(self.unknown_columns)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "FileAccount":
        """The account that ``to_record`` wrote."""
        days = {name: date.fromisoformat(record[name]) if record[name] else None for name in _DAYS}
        return cls(**{**record, **days, "unknown_columns": tuple(record["unknown_columns"])})
