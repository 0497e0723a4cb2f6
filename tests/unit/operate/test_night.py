"""One run from its lock to its last word: what is resumed after a kill, and what is begun anew."""

from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from flows.config import load
from flows.errors import AuditRefused, TransientError
from flows.operate.night import manifest_path, open_night
from flows.state import runs
from flows.state.database import open_state
from flows.workspace import Workspace

EXAMPLE = Path(__file__).parents[3] / "config" / "examples" / "maven"
NIGHT = date(2017, 12, 31)


class Killed(BaseException):
    """Stands for the end of the process: nothing after it may run as if the night had ended."""


@contextmanager
def night_of(workspace: Workspace, as_of: date = NIGHT, told: list[str] | None = None):
    config = load(EXAMPLE, {"PLANLOOP_DATA": "/data"})
    with open_night(
        config,
        workspace,
        as_of,
        is_rebuild=False,
        accept_shrink=frozenset(),
        env={},
        on_bad_end=lambda night, error: (told if told is not None else []).append(f"{night.run_id}: {error}"),
    ) as night:
        yield night


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def kill_after(workspace: Workspace, *stages: str, as_of: date = NIGHT) -> str:
    """Run some stages and die; returns the run."""
    with pytest.raises(Killed), night_of(workspace, as_of) as night:
        run_id = night.run_id
        for stage in stages:
            night.stage(stage, lambda: {"did": 1})
            if stage == "publish":
                (workspace.published / "v" / run_id).mkdir(parents=True)
        raise Killed
    return run_id


def test_a_killed_run_goes_on_and_does_no_finished_stage_again(workspace: Workspace) -> None:
    killed = kill_after(workspace, "land", "validate")
    with night_of(workspace) as night:
        assert night.run_id == killed
        assert night.stage("validate", lambda: pytest.fail("done before")) == {"did": 1}
        assert night.stage("record", lambda: {"did": 2}) == {"did": 2}
    assert not manifest_path(workspace).exists()


def test_a_run_killed_before_it_was_registered_goes_on_under_its_number(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("flows.state.runs.start", die)
        with pytest.raises(Killed), night_of(workspace):
            pytest.fail("the run began without being registered")
    with night_of(workspace) as night:
        assert night.run_id == "20171231-01"


def test_another_night_begins_anew_and_remembers_mails_that_were_not_sent(workspace: Workspace) -> None:
    killed = kill_after(workspace, "land", "publish")
    with night_of(workspace, date(2018, 1, 1)) as night:
        assert night.run_id == "20180101-01"
        assert night.unannounced is not None
        assert night.unannounced.run_id == killed


def test_changed_inputs_start_an_unpublished_run_again_under_its_own_number(workspace: Workspace) -> None:
    killed = kill_after(workspace, "land", "build")
    with night_of(workspace) as night:
        night.restart()
        assert night.run_id == killed
        assert not night.manifest.is_done("build")


def test_changed_inputs_never_touch_a_version_that_was_published(workspace: Workspace) -> None:
    killed = kill_after(workspace, "land", "build", "publish")
    with night_of(workspace) as night:
        night.restart()
        assert (killed, night.run_id) == ("20171231-01", "20171231-02")
        assert night.unannounced is not None
        assert not night.manifest.is_done("publish")
    state = open_state(workspace.state_url)
    assert {run.run_id: run.state for run in runs.recent(state)} == {killed: "published", "20171231-02": "published"}


def test_a_refused_night_is_registered_and_the_operator_told(workspace: Workspace) -> None:
    told: list[str] = []
    with pytest.raises(AuditRefused), night_of(workspace, told=told):
        raise AuditRefused("half is gone")
    assert told == ["20171231-01: half is gone"]
    (run,) = runs.recent(open_state(workspace.state_url))
    assert (run.state, run.exit_code, run.message) == ("refused", 4, "half is gone")


def test_two_nights_of_a_workspace_never_overlap(workspace: Workspace) -> None:
    with night_of(workspace), pytest.raises(TransientError, match="a night at work"), night_of(workspace):
        pytest.fail("the second night began")
