"""A night is committed whole or not at all, whatever moment the process is killed at."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from flows.errors import PermanentError
from flows.history import commit, durable
from flows.history.assemble import assemble
from flows.history.change_log import nights as recorded_nights
from flows.history.commit import commit_night, recover
from tests.unit.history.conftest import tree

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the code under test may catch it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Kill before the given one of all calls that change a name on disk."""
    count = 0

    def counted(call):
        def wrapper(*args, **kwargs):
            nonlocal count
            count += 1
            if count > step:
                raise Killed
            return call(*args, **kwargs)

        return wrapper

    for module, name in ((os, "replace"), (os, "link"), (shutil, "rmtree"), (Path, "unlink"), (Path, "mkdir")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))


def staged_rerun(nights_of):
    """Tuesday is recorded with a change of contact b, and staged again without one: its old file has to go."""
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann", "b": "Bob"})
    nights.run_rows(TUESDAY, {"a": "Ann", "b": "Bobby"})
    nights.stage(TUESDAY, {"crm/contacts.csv": [("a", "Ann"), ("b", "Bob")]})
    return nights


def committed(workspace):
    return tree(workspace.history), tree(workspace.quarantine)


def test_a_commit_killed_at_any_step_is_finished_or_undone_by_the_next_run(nights_of, monkeypatch):
    reference = staged_rerun(nights_of)
    before = committed(reference.workspace)
    commit_night(reference.workspace, TUESDAY)
    after = committed(reference.workspace)
    assert before != after
    assert reference.change_rows(TUESDAY) == []

    outcomes, step, killed = set(), 0, True
    while killed:
        nights = staged_rerun(nights_of)
        with monkeypatch.context() as patch:
            kill_at(patch, step)
            try:
                commit_night(nights.workspace, TUESDAY)
                killed = False
            except Killed:
                pass
        shutil.rmtree(nights.workspace.build)
        recover(nights.workspace)
        found = committed(nights.workspace)
        assert found in (before, after), f"half a night after step {step}"
        outcomes.add("after" if found == after else "before")
        step += 1
    assert outcomes == {"before", "after"}
    assert step > 10


def test_recovery_that_is_killed_too_is_finished_by_the_next(nights_of, monkeypatch):
    nights = staged_rerun(nights_of)
    with monkeypatch.context() as patch:
        patch.setattr(commit, "recover", lambda workspace: None)
        commit_night(nights.workspace, TUESDAY)
    reference = staged_rerun(nights_of)
    commit_night(reference.workspace, TUESDAY)
    for step in range(12):
        with monkeypatch.context() as patch:
            kill_at(patch, step)
            try:
                recover(nights.workspace)
            except Killed:
                continue
    recover(nights.workspace)
    assert committed(nights.workspace) == committed(reference.workspace)


def test_committing_twice_changes_nothing(nights_of):
    nights = staged_rerun(nights_of)
    commit_night(nights.workspace, TUESDAY)
    once = committed(nights.workspace)
    commit_night(nights.workspace, TUESDAY)
    assert committed(nights.workspace) == once
    assert recorded_nights(nights.workspace) == [MONDAY, TUESDAY]


def test_a_night_that_was_not_committed_leaves_no_trace(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann"})
    before = committed(nights.workspace)
    nights.stage(TUESDAY, {"crm/contacts.csv": []})
    assemble(nights.workspace, TUESDAY, rebuild=False)
    assert committed(nights.workspace) == before


def test_the_build_can_still_read_its_links_after_the_commit(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann"})
    links = sorted(nights.workspace.build_log("contact").iterdir())
    assert [link.name for link in links] == ["00000000.parquet", f"{MONDAY}.parquet"]
    assert all(link.exists() for link in links)


def test_only_a_staged_night_of_that_date_can_be_committed(nights_of):
    nights = nights_of()
    with pytest.raises(PermanentError, match="found none; record the night first"):
        commit_night(nights.workspace, MONDAY)
    nights.stage(MONDAY, {"crm/contacts.csv": [("a", "Ann")]})
    with pytest.raises(PermanentError, match=f"expected the staged night {TUESDAY}.*found {MONDAY}"):
        commit_night(nights.workspace, TUESDAY)


def test_a_night_that_was_never_recorded_cannot_be_rebuilt(nights_of):
    nights = nights_of()
    nights.run_rows(MONDAY, {"a": "Ann"})
    with pytest.raises(PermanentError, match=f"found no {TUESDAY}.*newest: {MONDAY}"):
        assemble(nights.workspace, TUESDAY, rebuild=True)


def test_a_file_system_without_hard_links_gets_copies(tmp_path, monkeypatch):
    def no_links(*_args):
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "source").write_text("rows")
    durable.link_or_copy(tmp_path / "source", tmp_path / "folder" / "target")
    assert (tmp_path / "folder" / "target").read_text() == "rows"
