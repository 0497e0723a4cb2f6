"""The register of runs and the manifest of the run in progress."""

from datetime import date, datetime
from pathlib import Path

from flows.operate.manifest import RunManifest, read_manifest
from flows.state import runs
from flows.state.database import open_state

NIGHT = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 2, 0)  # noqa: DTZ001 (stored without zone)


def _begin(engine, as_of: date = NIGHT) -> str:
    run_id = runs.next_run_id(engine, as_of)
    _start(engine, run_id, as_of)
    return run_id


def _start(engine, run_id: str, as_of: date = NIGHT) -> None:
    runs.start(engine, run_id, as_of, is_rebuild=False, code_fingerprint="c", config_fingerprint="f", now=NOW)


def test_run_ids_number_the_runs_of_a_date(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    assert [_begin(engine), _begin(engine), _begin(engine, date(2026, 11, 21))] == [
        "20261120-01",
        "20261120-02",
        "20261121-01",
    ]


def test_a_run_whose_process_died_is_called_killed_and_a_finished_one_is_not(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    done, died = _begin(engine), _begin(engine)
    runs.finish(engine, done, state="published", exit_code=0, message=None, now=NOW)
    runs.mark_killed(engine, now=NOW)
    assert {run.run_id: run.state for run in runs.recent(engine)} == {done: "published", died: "killed"}


def test_a_killed_run_that_goes_on_keeps_its_line(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    died = _begin(engine)
    runs.mark_killed(engine, now=NOW)
    _start(engine, died)
    assert [(run.run_id, run.state, run.finished_at) for run in runs.recent(engine)] == [(died, "running", None)]


def test_a_manifest_is_continued_only_by_a_run_that_does_the_same(tmp_path: Path) -> None:
    manifest = RunManifest("20261120-01", NIGHT.isoformat(), False, "config", "code", ["crm"])
    manifest.stages["land"] = {"files": 3}
    manifest.save(tmp_path / "run.json")
    read = read_manifest(tmp_path / "run.json")
    assert read == manifest
    same = {"is_rebuild": False, "config": "config", "code": "code", "accept_shrink": ["crm"]}
    assert read.is_continued_by(NIGHT, **same)
    assert not read.is_continued_by(date(2026, 11, 21), **same)
    for change in ({"is_rebuild": True}, {"config": "other"}, {"code": "other"}, {"accept_shrink": []}):
        assert not read.is_continued_by(NIGHT, **{**same, **change})
    assert read_manifest(tmp_path / "none.json") is None
