"""The bounded reader: a clean interpreter of one thread that forks a child for each job and outlives what kills it.

``python -m flows.ingest.readers.sandbox FOLDER`` takes jobs as JSON lines on stdin and answers each with a JSON line:
how its child ended. What the child found lies in the job's folder. A child has limits on memory, CPU time, wall time
and file size; only the child ever parses a file. The interpreter ends, and ``FOLDER`` with it, when stdin closes, so
nothing stays behind when the night itself is killed. Imports stay few: this process is forked for every file.
"""

import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.ingest.readers.names import FileRefused

RESULT = "result.json"
ANSWERS, REPORT = 0, 1
"""Exit codes of a child: it left a result, or it ran out of memory before it could."""
_TASKS = {
    "survey": "flows.ingest.readers.survey:survey_job",
    "read": "flows.ingest.readers.records:read_job",
    "pages": "flows.ingest.readers.pages:pages_job",
    "explain": "flows.ingest.readers.explain:explain_job",
}
_READ = 1 << 16


def main() -> None:
    """Serve jobs until stdin closes."""
    folder = Path(sys.argv[1])
    _preload()
    pending = b""
    try:
        while True:
            while b"\n" not in pending:
                chunk = os.read(0, _READ)
                if not chunk:
                    return
                pending += chunk
            line, _, pending = pending.partition(b"\n")
            answer = _supervise(json.loads(line))
            os.write(1, json.dumps(answer).encode() + b"\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _preload() -> None:
    """Import once what every child needs. Arrow does without numpy, which would cost more than all the rest."""
    sys.modules["numpy"] = None  # type: ignore[assignment]
    for name in (
        "pyarrow",
        "python_calamine",
        "zipfile",
        "pyexpat",
        *(path.partition(":")[0] for path in _TASKS.values()),
    ):
        importlib.import_module(name)


def _task(name: str) -> Callable[..., dict[str, Any]]:
    module, _, function = _TASKS[name].partition(":")
    task: Callable[..., dict[str, Any]] = getattr(importlib.import_module(module), function)
    return task


def _supervise(job: dict[str, Any]) -> dict[str, Any]:
    """Fork a child for the job and wait until it ends, is late, or nobody wants its answer any more."""
    began = time.monotonic()
    alive, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        _be_child(job)
    os.close(held)
    late = False
    deadline = began + job["bounds"]["wall_seconds"]
    while True:
        ready, _, _ = select.select([alive, 0], [], [], max(0.0, deadline - time.monotonic()))
        if alive in ready:
            break
        # Nobody sends a second job before the first is answered: stdin is ready because it has closed.
        late = not ready
        os.kill(pid, signal.SIGKILL)
        break
    os.close(alive)
    _, status, usage = os.wait4(pid, 0)
    return {
        "exit": os.waitstatus_to_exitcode(status),
        "late": late,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def _be_child(job: dict[str, Any]) -> None:
    """Do the job within its bounds, leave the result in its folder, and end without any clean-up of the parent's."""
    code = REPORT
    try:
        folder = Path(job["folder"])
        _confine(folder, job["bounds"])
        result = _attempt(job, folder)
        part = folder / f"{RESULT}.part"
        part.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
        part.replace(folder / RESULT)
        code = ANSWERS
    finally:
        os._exit(code)


def _attempt(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    try:
        return _task(job["task"])(folder=folder, **job["arguments"])
    except FileRefused as refusal:
        return {"refused": str(refusal), "rows": refusal.rows}
    except MemoryError:
        return {"died": "memory"}
    except BaseException as error:  # noqa: BLE001 (a panic of the parser is no Exception; the parent tells it)
        traceback.print_exc()
        return {"died": "fault", "fault": f"{type(error).__name__}: {error}"[:300]}


def _confine(folder: Path, bounds: dict[str, int]) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    told = os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT, 0o600)
    for descriptor, replacement in ((0, nothing), (1, nothing), (2, told)):
        os.dup2(replacement, descriptor)
    os.chdir(folder)
    for limit, value in (
        (resource.RLIMIT_AS, bounds["memory_bytes"]),
        (resource.RLIMIT_CPU, bounds["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, bounds["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(limit)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (ceiling, ceiling))


if __name__ == "__main__":
    main()
