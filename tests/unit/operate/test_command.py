"""The command before the first night and with wrong words: it answers in one line and makes nothing."""

import json
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from flows.commands.context import console
from flows.operate.display import print_rows
from flows.state import runs
from flows.state.database import open_state
from flows.workspace import Workspace

PROJECT = Path(__file__).parents[3]


def planloop(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command on the demo company's configuration, from another folder."""
    command = [sys.executable, "-m", "flows.cli", "--workspace", str(workspace), *words]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLANLOOP_")}
    env["PYTHONPATH"] = str(PROJECT)
    return subprocess.run(command, cwd=workspace.parent, env=env, text=True, capture_output=True, timeout=120)  # noqa: S603


@pytest.mark.parametrize("words", [("status",), ("alerts", "list"), ("publish", "list")])
def test_before_the_first_night_lists_are_empty_and_looking_makes_nothing(tmp_path: Path, words: tuple[str]) -> None:
    ended = planloop(tmp_path / "new", *words, "--json")
    assert (ended.returncode, json.loads(ended.stdout)) == (0, []), ended.stderr
    assert not (tmp_path / "new").exists()


def test_a_source_that_does_not_exist_cannot_be_let_shrink(tmp_path: Path) -> None:
    ended = planloop(tmp_path / "new", "refresh", "--accept-shrink", "oportunities")
    assert ended.returncode == 2
    assert "oportunities" in ended.stderr
    assert "expected one of users, accounts" in ended.stderr


def test_a_failure_is_told_to_a_script_as_json(tmp_path: Path) -> None:
    ended = planloop(tmp_path / "new", "refresh", "--accept-shrink", "oportunities", "--json")
    said = json.loads(ended.stdout)
    assert (ended.returncode, said["exit_code"]) == (2, 2)
    assert "oportunities" in said["error"]


def test_a_time_of_day_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    ended = planloop(tmp_path / "new", "schedule", str(tmp_path / "units"), "--at", "25:00")
    assert ended.returncode == 2
    assert "25:00" in ended.stderr


def test_a_workspace_that_cannot_be_used_is_not_called_a_fault_of_planloop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = planloop(tmp_path / "file", "refresh", "--as-of", "2026-11-20")
    assert ended.returncode == 1
    assert str(tmp_path / "file") in ended.stderr
    assert "fault of planloop" not in ended.stderr


def test_brackets_and_colons_of_names_are_printed_as_they_stand() -> None:
    with console.capture() as said:
        print_rows(console, "region:China", [{"node": "region:China", "why": "[KA] [/shared/plan]"}], as_json=False)
    assert said.get().count("region:China") == 2
    assert "[KA] [/shared/plan]" in said.get()


def test_a_killed_run_is_not_shown_as_running(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "killed")
    workspace.prepare()
    state = open_state(workspace.state_url)
    runs.start(
        state,
        "20261120-01",
        date(2026, 11, 20),
        is_rebuild=False,
        code_fingerprint="c",
        config_fingerprint="f",
        now=datetime(2026, 11, 21),  # noqa: DTZ001 (stored without zone)
    )
    ended = planloop(workspace.root, "status", "--json")
    assert [run["state"] for run in json.loads(ended.stdout)] == ["killed"]
