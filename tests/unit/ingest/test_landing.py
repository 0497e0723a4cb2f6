"""Originals are copied once, unchanged, before anything reads them."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from flows.config.sources import Sources
from flows.errors import PermanentError, TransientError
from flows.ingest.landing import land
from flows.workspace import Workspace

FIRST, SECOND = date(2024, 3, 30), date(2024, 3, 31)


def source(*paths: str, **options: object) -> dict:
    entry = {"entity": "user", "path": list(paths), "columns": {"user_id": "id", "name": "name"}, **options}
    return Sources.model_validate({"sources": {"crm": entry}}).sources


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def test_a_file_is_landed_by_date_source_and_hash(workspace, inputs):
    (inputs / "users.csv").write_text("id,name\n1,A\n")
    (landed,) = land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=lambda _: None)
    sha256 = hashlib.sha256(b"id,name\n1,A\n").hexdigest()
    assert landed.path == workspace.landing / "2024-03-30" / "crm" / f"{sha256[:12]}-users.csv"
    assert landed.path.read_bytes() == b"id,name\n1,A\n"
    assert (landed.sha256, landed.bytes, landed.name, landed.format) == (sha256, 12, "users.csv", "csv")


def test_the_landed_copy_does_not_change_with_the_original(workspace, inputs):
    original = inputs / "users.csv"
    original.write_text("id,name\n1,A\n")
    (before,) = land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=lambda _: None)
    original.write_text("id,name\n1,B\n")
    (after,) = land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=lambda _: None)
    assert before.path.read_text() == "id,name\n1,A\n"
    assert after.path.read_text() == "id,name\n1,B\n"


def test_the_same_content_on_a_later_night_takes_no_room(workspace, inputs):
    (inputs / "users.csv").write_text("id,name\n1,A\n")
    (first,) = land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=lambda _: None)
    (second,) = land(source(f"{inputs}/*.csv"), workspace, SECOND, sleep=lambda _: None)
    assert first.path != second.path
    assert first.path.samefile(second.path)


def test_each_match_is_landed_once_and_lock_files_are_left_alone(workspace, inputs):
    (inputs / "b").mkdir()
    for name in ("a.csv", "b/a.csv", "~$a.csv", ".a.csv"):
        (inputs / name).write_text("id,name\n")
    globs = (f"{inputs}/**/*.csv", f"{inputs}/a.csv", f"{inputs}/[~]*.csv")
    landed = land(source(*globs), workspace, FIRST, sleep=lambda _: None)
    assert [file.name for file in landed] == ["a.csv", "b/a.csv"]
    assert len({file.file_id for file in landed}) == 2


def test_what_programs_have_not_finished_is_left_alone(workspace, inputs):
    for name in ("a.csv", "a.csv.part", "b.csv.tmp", ".~lock.a.csv#", "._a.csv", "a.csv~"):
        (inputs / name).write_text("id,name\n")
    landed = land(source(f"{inputs}/*", format="csv"), workspace, FIRST, sleep=lambda _: None)
    assert [file.name for file in landed] == ["a.csv"]


def test_a_file_that_leads_out_of_its_folder_is_refused_unread(workspace, inputs, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "secret.csv").write_text("id,name\n9,S\n")
    (inputs / "link.csv").symlink_to(outside / "secret.csv")
    (inputs / "folder").symlink_to(outside)
    (inputs / "own.csv").write_text("id,name\n1,A\n")
    globs = (f"{inputs}/*.csv", f"{inputs}/folder*/*.csv", f"{inputs}/f*/../elsewhere/*.csv")
    landed = land(source(*globs), workspace, FIRST, sleep=lambda _: None)
    assert [(file.name, bool(file.refusal)) for file in landed] == [
        ("link.csv", True),
        ("own.csv", False),
        ("folder/secret.csv", True),
        ("elsewhere/secret.csv", True),
    ]
    assert "link that leads out of it" in landed[0].refusal
    assert len({file.file_id for file in landed}) == 4
    assert [copy.name for copy in workspace.landing.rglob("*.csv")] == [landed[1].path.name]


def test_a_name_as_long_as_a_file_system_takes_is_landed(workspace, inputs):
    name = f"{'合同关键信息表' * 11}二〇二四.csv"
    assert len(name.encode()) == 247
    (inputs / name).write_text("id,name\n1,A\n")
    (first,) = land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=lambda _: None)
    (second,) = land(source(f"{inputs}/*.csv"), workspace, SECOND, sleep=lambda _: None)
    assert (first.name, first.path.suffix, first.path.read_text()) == (name, ".csv", "id,name\n1,A\n")
    assert first.path.samefile(second.path)


def test_a_file_still_being_written_is_waited_for(workspace, inputs):
    growing = inputs / "users.csv"
    growing.write_text("id,name\n")
    lines = iter(["1,A\n", "2,B\n"])

    def write_on(_seconds: float) -> None:
        if line := next(lines, None):
            growing.write_text(growing.read_text() + line)

    (landed,) = land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=write_on)
    assert landed.path.read_text() == "id,name\n1,A\n2,B\n"
    assert landed.sha256 == hashlib.sha256(landed.path.read_bytes()).hexdigest()


def test_a_file_that_never_comes_to_rest_is_a_transient_error(workspace, inputs):
    growing = inputs / "users.csv"
    growing.write_text("id,name\n")

    def write_on(_seconds: float) -> None:
        growing.write_text(growing.read_text() + "1,A\n")

    with pytest.raises(TransientError, match="Still being written"):
        land(source(f"{inputs}/*.csv"), workspace, FIRST, sleep=write_on)
    assert not list(workspace.root.rglob("*.csv"))


def test_an_ending_no_reader_knows_asks_for_a_format(workspace, inputs):
    (inputs / "users.dat").write_text("id,name\n")
    with pytest.raises(PermanentError, match="State `format`"):
        land(source(f"{inputs}/*.dat"), workspace, FIRST, sleep=lambda _: None)
    (landed,) = land(source(f"{inputs}/*.dat", format="csv"), workspace, FIRST, sleep=lambda _: None)
    assert landed.format == "csv"


def test_the_night_stands_in_the_path(workspace, inputs):
    for night in ("20240330", "20240331"):
        (inputs / night).mkdir()
        (inputs / night / "users.csv").write_text(f"id,name\n{night},A\n")
    (landed,) = land(source(f"{inputs}/{{as_of:%Y%m%d}}/*.csv"), workspace, SECOND, sleep=lambda _: None)
    assert "20240331" in landed.path.read_text()
