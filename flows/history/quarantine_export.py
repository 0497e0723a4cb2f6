"""Who gets which quarantined rows: all that are open, one file an owner in their language, the rest to the operator."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.config.sources import Source
from flows.config.stages import Stages
from flows.errors import PermanentError
from flows.history.quarantine import read_quarantine
from flows.history.quarantine_advice import Advisor, Language
from flows.history.quarantine_ledger import read_ledger, with_row_id
from flows.history.quarantine_owners import owners
from flows.history.quarantine_workbook import write_for
from flows.workspace import Workspace

OPERATOR = "operator"


@dataclass(frozen=True)
class Exported:
    """One file that was written: for whom, how many rows, and where.

    ``owner_id`` and ``email`` are null for the operator's file and for one that holds the rows of all.
    """

    path: Path
    owner_id: str | None
    owner: str | None
    email: str | None
    rows: int


@dataclass(frozen=True)
class Readers:
    """The people of the company (columns ``quarantine_owners.PEOPLE``), and how it writes to those it does not know."""

    people: pl.DataFrame
    language: Language
    operator_email: str


def open_cells(workspace: Workspace, as_of: date) -> pl.DataFrame:
    """The quarantined cells of a night, and those of earlier nights whose rows have not healed since.

    Columns ``QUARANTINE``, ``row_id`` and ``since`` (the first night of the row).
    """
    ledger = read_ledger(workspace, as_of)
    still_open = ledger.filter(pl.col("healed_on").is_null() & (pl.col("last_seen_on") < as_of))
    frames = [with_row_id(read_quarantine(workspace, as_of))]
    for (night,), rows in still_open.group_by(["last_seen_on"], maintain_order=True):
        assert isinstance(night, date)  # noqa: S101 (the column is one of dates)
        frames.append(with_row_id(read_quarantine(workspace, night)).join(rows, on="row_id", how="semi"))
    cells = pl.concat(frames)
    since = ledger.select("row_id", since="first_seen_on")
    return cells.join(since, on="row_id", how="left", maintain_order="left").with_columns(
        since=pl.coalesce("since", "as_of_date")
    )


def with_owners(cells: pl.DataFrame, sources: Mapping[str, Source], people: pl.DataFrame) -> pl.DataFrame:
    """Cells with ``owner_id``, ``owner``, ``email`` and ``language`` of who is to mend them."""
    known = people.select(pl.col("user_id").alias("owner_id"), pl.col("name").alias("owner"), "email", "language")
    return cells.with_columns(owners(cells, sources, people).alias("owner_id")).join(
        known, on="owner_id", how="left", maintain_order="left"
    )


def export_one(
    cells: pl.DataFrame, path: Path, sources: Mapping[str, Source], stages: Stages, readers: Readers, as_of: date
) -> Exported:
    """Write the rows of all owners into one file.

    Raises:
        PermanentError: a name that ends in neither .xlsx nor .csv.
    """
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise PermanentError(f"{path}: expected a name that ends in .xlsx or .csv, found {path.suffix!r}")
    advisor = Advisor(sources, stages, as_of, readers.language)
    write_for(_told(cells, advisor), path, as_of, readers.language)
    return Exported(path, None, None, None, cells["row_id"].n_unique())


def export_by_owner(
    cells: pl.DataFrame,
    folder: Path,
    sources: Mapping[str, Source],
    stages: Stages,
    readers: Readers,
    as_of: date,
    *,
    ending: str = ".xlsx",
    language: Language | None = None,
) -> list[Exported]:
    """Write one file an owner; rows without a known owner go to the operator's.

    Args:
        cells: of ``with_owners``.
        folder: where the files are made.
        sources: configured sources by name.
        stages: the funnel.
        readers: the people.
        as_of: the night.
        ending: .xlsx or .csv.
        language: of all files; None: of each owner, else the company's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Exported] = []
    for (owner_id,), ours in cells.sort("owner_id", nulls_last=True, maintain_order=True).group_by(
        ["owner_id"], maintain_order=True
    ):
        first = ours.row(0, named=True)
        speaks: Language = language or (first["language"] if first["language"] in ("zh", "en") else readers.language)
        name = _file_name(first["owner"], str(owner_id)) if owner_id else OPERATOR
        path = _free(folder / f"quarantine-{name}{ending}", {file.path for file in written})
        advisor = Advisor(sources, stages, as_of, speaks)
        write_for(_told(ours.with_columns(owner=pl.lit(None, pl.String)), advisor), path, as_of, speaks)
        email = first["email"] if owner_id else readers.operator_email
        written.append(Exported(path, first["owner_id"], first["owner"], email, ours["row_id"].n_unique()))
    return written


def chosen_owner(cells: pl.DataFrame, owner: str) -> pl.DataFrame:
    """The cells of one owner, named by id, name or mail address.

    Raises:
        PermanentError: nobody of that name has a quarantined row.
    """
    asked = owner.strip().casefold()
    same = [pl.col(name).str.to_lowercase() == asked for name in ("owner_id", "owner", "email")]
    found = cells.filter(pl.col("owner_id").is_null() if asked == OPERATOR else pl.any_horizontal(same))
    if found.is_empty():
        known = sorted(f"{name} ({owner_id})" for owner_id, name in _owners(cells))
        raise PermanentError(
            f"Expected an owner of quarantined rows, found none for {owner!r}. "
            f"There are rows of: {', '.join(known) or 'nobody known'}; those of nobody known are the {OPERATOR}'s."
        )
    return found


def _owners(cells: pl.DataFrame) -> list[tuple[str, str]]:
    return cells.filter(pl.col("owner_id").is_not_null()).select("owner_id", "owner").unique().rows()


def _told(cells: pl.DataFrame, advisor: Advisor) -> pl.DataFrame:
    """Cells with ``reason`` and ``suggestion`` in the reader's language."""
    asked = ["source", "entity", "column", "value", "reason_code", "candidates"]
    distinct = cells.select(asked).unique(maintain_order=True)
    advice = distinct.with_columns(
        suggestion=pl.Series([advisor.suggest(cell) for cell in distinct.iter_rows(named=True)], dtype=pl.String)
    )
    return cells.join(advice, on=asked, how="left", nulls_equal=True, maintain_order="left").with_columns(
        reason=pl.col(f"reason_{advisor.language}")
    )


def _file_name(name: str | None, owner_id: str) -> str:
    return re.sub(r"[^\w-]+", "_", f"{name or ''}-{owner_id}").strip("_-")[:80] or "owner"


def _free(path: Path, taken: set[Path]) -> Path:
    turn, free = 1, path
    while free in taken:
        turn += 1
        free = path.with_stem(f"{path.stem}-{turn}")
    return free
