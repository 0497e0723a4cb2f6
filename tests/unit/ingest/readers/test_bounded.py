"""The sandbox: what kills a child is told, what kills the interpreter is mended, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flows.ingest.readers import bounded
from flows.ingest.readers.batch import FileRefused
from flows.ingest.readers.limits import Bounds, MiB
from flows.ingest.readers.workbook import find_tables, open_workbook, survey
from tests.unit.ingest.readers.sheets import Read, known, write_sheets

KNOWN = known("客户名称", "金额")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_sheets(tmp_path / "a.xlsx", {"表": [["客户名称", "金额"], *([f"甲{n}", n] for n in range(5000))]})


def interpreter() -> int:
    process = bounded._worker._process
    assert process is not None
    return process.pid


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_job_that_takes_too_long_or_too_much_is_refused_with_its_bound(book):
    with pytest.raises(FileRefused, match="within 0 seconds"):
        survey(book, known=KNOWN, bounds=Bounds(wall_seconds=0))
    with pytest.raises(FileRefused, match="in 110 MB of memory"):
        survey(book, known=KNOWN, bounds=Bounds(memory_bytes=110 * MiB))
    assert len(find_tables(book, sheet=None, known=KNOWN)) == 1
    assert children(interpreter()) == []


def test_an_interpreter_that_was_killed_is_started_anew(book):
    (place,) = find_tables(book, sheet=None, known=KNOWN)
    first = interpreter()
    os.kill(first, signal.SIGKILL)
    assert len(Read(book, place).records) == 5000
    assert interpreter() != first


def test_an_interpreter_killed_in_the_middle_of_a_job_does_it_again(book):
    find_tables(book, sheet=None, known=KNOWN)
    first = interpreter()

    def kill_while_busy() -> None:
        while not children(first):
            time.sleep(0.001)
        os.kill(first, signal.SIGKILL)

    killer = threading.Thread(target=kill_while_busy)
    killer.start()
    assert len(find_tables(book, sheet=None, known=KNOWN)) == 1
    killer.join()
    assert interpreter() != first


def test_threads_take_turns(book):
    (place,) = find_tables(book, sheet=None, known=KNOWN)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(open_workbook(book, place).count())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [5000] * 6
    assert bounded._worker._folder is not None
    assert list(bounded._worker._folder.iterdir()) == []


def test_a_reading_that_is_given_up_leaves_nothing(book):
    (place,) = find_tables(book, sheet=None, known=KNOWN)
    batches = open_workbook(book, place, batch_rows=100).read()
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert bounded._worker._folder is not None
    assert list(bounded._worker._folder.iterdir()) == []


def test_a_forked_copy_of_the_process_has_an_interpreter_of_its_own(book):
    find_tables(book, sheet=None, known=KNOWN)
    mine = interpreter()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            found = find_tables(book, sheet=None, known=KNOWN)
            code = 0 if len(found) == 1 and interpreter() != mine else 2
            bounded._close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(find_tables(book, sheet=None, known=KNOWN)) == 1
    assert interpreter() == mine


@pytest.mark.parametrize("ending", ["normal", "killed"])
def test_interpreter_and_folder_end_with_the_process(book, tmp_path, ending):
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from flows.ingest.readers import bounded\n"
        "from flows.ingest.readers.workbook import survey\n"
        f"survey(Path({str(book)!r}))\n"
        "print(bounded._worker._process.pid, bounded._worker._folder, flush=True)\n"
        + ("time.sleep(60)\n" if ending == "killed" else "")
    )
    folder = Path(__file__).parents[4]
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    pid, left = process.stdout.readline().split()
    if ending == "killed":
        process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 10
    while (Path(f"/proc/{pid}").exists() or Path(left).exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(left).exists()


def test_no_secret_reaches_what_parses_other_peoples_files(book, monkeypatch):
    monkeypatch.setenv("HUBSPOT_TOKEN", "secret")
    bounded._close()
    find_tables(book, sheet=None, known=KNOWN)
    assert b"HUBSPOT_TOKEN" not in Path(f"/proc/{interpreter()}/environ").read_bytes()


def test_the_interpreter_starts_quickly_and_has_one_thread(book):
    bounded._close()
    find_tables(book, sheet=None, known=KNOWN)
    pid = interpreter()
    assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    assert seconds < 1, "0.2 CPU seconds where nothing else runs"
