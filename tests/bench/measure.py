"""What a command costs, as a whole process tree: wall and CPU seconds, and the most memory it held at one moment."""

import contextlib
import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_SECONDS = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """Cost of one command with all its descendants.

    Attributes:
        wall: seconds from start to end.
        cpu: user and system seconds of the whole tree.
        peak_mib: largest sum of resident memory of the tree at one moment (pages that processes share count twice).
        exit_code: of the command itself.
    """

    wall: float
    cpu: float
    peak_mib: float
    exit_code: int

    def rounded(self) -> dict[str, float]:
        """As numbers to print."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def measure(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    during: Callable[[], None] | None = None,
    ok: Sequence[int] = (0,),
) -> Usage:
    """Run a command to its end and add up what it and its descendants used.

    Descendants that outlive the command (a temporary server) are handed to this process, waited for, and counted.

    Args:
        log: where the command's output goes.
        during: called at every sample while the command runs.
        ok: exit codes that are a success.

    Raises:
        RuntimeError: another exit code; says where the output is.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=dict(env), cwd=cwd, stdout=output, stderr=subprocess.STDOUT)
    peak = [0]
    ended = threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peak, ended, during))
    sampler.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    ended.set()
    sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)  # subprocess must not wait for it again
    cpu = used.ru_utime + used.ru_stime + _reap_orphans()
    if process.returncode not in ok:
        message = f"exit {process.returncode} of {' '.join(command)}; see {log}"
        raise RuntimeError(message)
    return Usage(wall, cpu, peak[0] / 2**20, process.returncode)


def _sample(root: int, peak: list[int], ended: threading.Event, during: Callable[[], None] | None) -> None:
    while not ended.wait(SAMPLE_SECONDS):
        peak[0] = max(peak[0], sum(_resident(pid) for pid in tree(root)))
        if during is not None:
            during()


def _reap_orphans(patience_seconds: float = 60) -> float:
    """CPU seconds of descendants that outlived their parent; one that does not end by itself is killed."""
    cpu = 0.0
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return cpu
        if pid:
            cpu += used.ru_utime + used.ru_stime
        elif time.monotonic() > give_up:
            for child in tree(os.getpid())[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, 9)
        else:
            time.sleep(0.05)


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0
