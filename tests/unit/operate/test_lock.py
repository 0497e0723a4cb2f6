"""The lock of a night: one holder, named to the others, gone with its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.errors import TransientError
from flows.operate.lock import lock_holder, night_lock

HOLD = """
import sys, time
from pathlib import Path
from flows.operate.lock import night_lock
with night_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the lock of ``tmp_path/night.lock``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "night.lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_night_is_refused_and_told_who_holds_the_lock(tmp_path, holder):
    with pytest.raises(TransientError) as refused, night_lock(tmp_path / "night.lock"):
        pytest.fail("two nights in one workspace")
    assert f"process {holder.pid} on" in str(refused.value)
    assert "since 2" in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_a_killed_night_leaves_no_lock(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with night_lock(tmp_path / "night.lock"):
        assert lock_holder(tmp_path / "night.lock").pid == os.getpid()


def test_the_lock_ends_with_its_block_and_after_an_error(tmp_path):
    path = tmp_path / "deep" / "night.lock"
    with pytest.raises(ZeroDivisionError), night_lock(path):
        raise ZeroDivisionError
    assert lock_holder(path) is None
    with night_lock(path):
        assert lock_holder(path) is not None


def test_looking_at_the_lock_does_not_make_or_take_it(tmp_path, holder):
    assert lock_holder(tmp_path / "other.lock") is None
    assert not (tmp_path / "other.lock").exists()
    seen = lock_holder(tmp_path / "night.lock")
    assert seen.pid == holder.pid
    assert seen.since.utcoffset().total_seconds() == 0


def test_two_workspaces_do_not_wait_for_each_other(tmp_path, holder):
    with night_lock(tmp_path / "another" / "night.lock"):
        assert lock_holder(tmp_path / "night.lock").pid == holder.pid


def test_an_executed_child_does_not_keep_the_lock(tmp_path):
    path = tmp_path / "night.lock"
    with night_lock(path):
        child = subprocess.Popen(
            [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(600)"],
            close_fds=False,
            stdout=subprocess.PIPE,
        )
    try:
        assert child.stdout.readline() == b"up\n"
        assert lock_holder(path) is None
    finally:
        child.kill()
        child.communicate()
