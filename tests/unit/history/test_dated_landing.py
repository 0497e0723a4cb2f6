"""Which dated files a night takes, and what validation makes of a delta's deleted rows."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.config.sources import Source, Sources
from flows.errors import PermanentError
from flows.ingest.landing import LandedFile, land
from flows.ingest.validation import validate
from flows.workspace import Workspace
from tests.unit.ingest.conftest import SETTINGS, STAGES

NIGHT = date(2024, 3, 10)


def users(folder: Path, **options: object) -> dict[str, Source]:
    """A source of users, one file a day."""
    entry = {"entity": "user", "path": f"{folder}/users-{{date:%Y-%m-%d}}.csv", **options}
    return Sources.model_validate({"sources": {"crm": {"columns": {"user_id": "id", "name": "name"}, **entry}}}).sources


def export(folder: Path, day: str, text: str = "id,name\n1,A\n") -> None:
    """Write the export of a day."""
    folder.mkdir(exist_ok=True)
    (folder / f"users-{day}.csv").write_text(text)


def landed(sources: dict[str, Source], workspace: Workspace, as_of: date, recorded: list[LandedFile]) -> list[str]:
    """The days that a night takes after earlier nights have accepted some files."""
    known = {"crm": {file.name: file.sha256 for file in recorded}}
    return [str(file.observed_on) for file in take(sources, workspace, as_of, known)]


def take(sources, workspace, as_of, known) -> list[LandedFile]:
    """Land without waiting."""
    return land(sources, workspace, as_of, recorded=known, sleep=lambda _: None)


def test_a_night_takes_the_days_up_to_its_own_that_are_new_late_or_corrected(tmp_path):
    workspace, folder = Workspace(tmp_path / "workspace"), tmp_path / "in"
    for day in ("2024-03-03", "2024-03-01", "2024-03-11"):
        export(folder, day)
    sources = users(folder)
    first = take(sources, workspace, NIGHT, {})
    assert [str(file.observed_on) for file in first] == ["2024-03-01", "2024-03-03"]
    assert landed(sources, workspace, date(2024, 3, 11), first) == ["2024-03-11"]
    export(folder, "2024-03-02")
    export(folder, "2024-03-03", "id,name\n1,B\n")
    assert landed(sources, workspace, date(2024, 3, 11), first) == ["2024-03-02", "2024-03-03", "2024-03-11"]


def test_a_touched_file_with_the_same_content_is_no_correction(tmp_path):
    workspace, folder = Workspace(tmp_path / "workspace"), tmp_path / "in"
    export(folder, "2024-03-01")
    first = take(users(folder), workspace, NIGHT, {})
    (folder / "users-2024-03-01.csv").touch()
    assert landed(users(folder), workspace, date(2024, 3, 11), first) == []


def test_digits_that_are_no_day_are_named(tmp_path):
    export(tmp_path / "in", "2024-02-30")
    with pytest.raises(PermanentError, match=r"users-2024-02-30\.csv: expected a day written as %Y-%m-%d"):
        take(users(tmp_path / "in"), Workspace(tmp_path / "workspace"), NIGHT, {})


@pytest.mark.parametrize("path", ["a-{date:%Y-%m}.csv", "a-{date:%d %B %Y}.csv", "{date:%Y%m%d}/{date:%Y%m%d}.csv"])
def test_a_path_whose_date_tells_no_day_is_refused(path):
    with pytest.raises(ValueError, match="expected"):
        Source(name="crm", entity="user", path=(path,), columns={"user_id": "id"})


def test_a_dated_source_whose_days_are_all_recorded_lacks_nothing_and_an_empty_folder_does(tmp_path):
    workspace, folder = Workspace(tmp_path / "workspace"), tmp_path / "in"
    assert [file.status for file in validated([], users(folder), workspace)] == ["missing"]
    export(folder, "2024-03-01")
    assert validated([], users(folder), workspace) == []


def validated(files, sources, workspace):
    """Judge the rows of landed files."""
    return validate(files, sources, SETTINGS, STAGES, workspace, NIGHT)


def test_the_same_key_on_two_days_is_no_duplicate_and_each_row_knows_its_day(tmp_path):
    workspace, folder = Workspace(tmp_path / "workspace"), tmp_path / "in"
    export(folder, "2024-03-01")
    export(folder, "2024-03-02", "id,name\n1,B\n")
    accounts = validated(take(users(folder), workspace, NIGHT, {}), users(folder), workspace)
    assert [(str(file.observed_on), file.rows_accepted) for file in accounts] == [("2024-03-01", 1), ("2024-03-02", 1)]
    rows = pl.concat([pl.read_parquet(path) for path in sorted((workspace.build / "accepted/user").glob("*.parquet"))])
    assert rows.select("name", "_observed_on").rows() == [("A", date(2024, 3, 1)), ("B", date(2024, 3, 2))]


def test_of_a_deleted_row_of_a_delta_only_the_key_has_to_be_readable(tmp_path):
    """Row 4 has no key, row 5 has no name though nobody deleted it, row 6 says neither yes nor no."""
    folder, workspace = tmp_path / "in", Workspace(tmp_path / "workspace")
    folder.mkdir()
    text = "id,name,active,gone\n1,A,true,no\n2,,maybe,yes\n,,,yes\n4,,true,no\n5,E,true,perhaps\n2,B,true,no\n"
    (folder / "pull.csv").write_text(text)
    columns = {"user_id": "id", "name": "name", "is_active": "active"}
    sources = users(folder, path=f"{folder}/pull.csv", mode="delta", deleted="gone", columns=columns)
    [account] = validated(take(sources, workspace, NIGHT, {}), sources, workspace)
    assert (account.rows_in, account.rows_accepted, account.rows_quarantined, account.rows_merged) == (6, 3, 3, 1)
    [path] = (workspace.build / "accepted" / "user").glob("*.parquet")
    rows = pl.read_parquet(path).select("user_id", "name", "_deleted").rows()
    assert rows == [("1", "A", False), ("2", "B", False)]
    [rejected] = (workspace.build / "rejected").glob("*.parquet")
    assert sorted(set(pl.read_parquet(rejected)["row"])) == [4, 5, 6]
