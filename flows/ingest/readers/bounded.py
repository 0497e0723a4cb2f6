"""Parsing within bounds: jobs are handed to the sandbox's interpreter, one for each process of ours, and read back.

Jobs of several threads take turns, so that the memory of one child is all that parsing ever takes.
"""

import atexit
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import flows
from flows.ingest.readers.limits import BOUNDS, Bounds, MiB
from flows.ingest.readers.names import FileRefused

_GRACE_SECONDS = 30
_READ = 1 << 16


class _WorkerLost(Exception):
    """The sandbox's interpreter itself has ended or hangs."""


class _Worker:
    """The interpreter that forks a child for each job; started when first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._turn = threading.Lock()

    def folder(self) -> Path:
        """A new folder for one job; all of them are gone when the process ends."""
        with self._turn:
            if self._folder is None or not self._folder.is_dir():
                self._folder = Path(tempfile.mkdtemp(prefix="planloop-reader-"))
            return Path(tempfile.mkdtemp(dir=self._folder))

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Have a job done; an interpreter that was lost is started anew, once."""
        with self._turn:
            with suppress(_WorkerLost):
                return self._exchange(job)
            return self._exchange(job)

    def close(self) -> None:
        """End the interpreter and remove what it has left."""
        with self._turn:
            self._end()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def abandon(self) -> None:
        """In a forked copy of this process: let go of the interpreter, which belongs to the original."""
        process = self._process
        if process is not None and process.stdin is not None and process.stdout is not None:
            os.close(process.stdin.fileno())
            os.close(process.stdout.fileno())
            # Popen would otherwise wait for a process that is no child of this copy.
            process.returncode = 0

    def _exchange(self, job: dict[str, Any]) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 (pipes, as asked for)
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            self._kill()
            raise _WorkerLost from error
        deadline = time.monotonic() + job["bounds"]["wall_seconds"] + _GRACE_SECONDS
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(process.stdout.fileno(), _READ) if ready else b""
            if not chunk:
                self._kill()
                raise _WorkerLost
            answer += chunk
        result: dict[str, Any] = json.loads(answer)
        return result

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._kill()
            assert self._folder is not None  # noqa: S101 (a job has a folder before it is asked for)
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-P", "-m", "flows.ingest.readers.sandbox", str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # An interrupt at the keyboard is for the night: the interpreter ends when the night closes its stdin.
                start_new_session=True,
                env=_environment(),
                cwd=self._folder,
            )
        return self._process

    def _end(self) -> None:
        """Let the interpreter end by itself, as it does once its stdin closes."""
        if self._process is None or self._process.stdin is None:
            return
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        self._kill()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _environment() -> dict[str, str]:
    """No secret of the night is in the environment of what parses other people's files."""
    package = Path(next(iter(flows.__path__))).parent
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(package), *(entry for entry in sys.path if entry)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Arrow's own allocators reserve a gigabyte of addresses and start a thread.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "MALLOC_ARENA_MAX": "1",
    }


_worker = _Worker()


def _close() -> None:
    _worker.close()


def _start_anew() -> None:
    global _worker
    _worker.abandon()
    _worker = _Worker()


atexit.register(_close)
os.register_at_fork(after_in_child=_start_anew)


@dataclass(frozen=True)
class Outcome:
    """What a job left.

    Attributes:
        folder: where its files lie, until the context ends.
        result: what its function returned.
    """

    folder: Path
    result: dict[str, Any]


@contextmanager
def parsed(task: str, path: Path, arguments: Mapping[str, Any], bounds: Bounds = BOUNDS) -> Iterator[Outcome]:
    """Parse ``path`` in the sandbox; the files the job wrote are there while the context lasts.

    Args:
        task: name of a task of the sandbox.
        path: the file.
        arguments: what else the task takes; plain values.
        bounds: what the child may take.

    Raises:
        FileRefused: the file cannot be read, or not within its bounds.
    """
    folder = _worker.folder()
    try:
        result = _do(task, path, arguments, bounds, folder)
        if "died" in result:
            explained = _do("explain", path, {}, bounds, _emptied(folder))
            raise FileRefused(explained.get("refused") or _cause(result, bounds))
        if "refused" in result:
            raise FileRefused(result["refused"], rows=result["rows"])
        yield Outcome(folder, result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _do(task: str, path: Path, arguments: Mapping[str, Any], bounds: Bounds, folder: Path) -> dict[str, Any]:
    """The result of one job, or under ``died`` how its child ended without one."""
    arguments = {"path": str(path.absolute()), **arguments}
    try:
        answer = _worker.ask({"task": task, "arguments": arguments, "folder": str(folder), "bounds": asdict(bounds)})
    except _WorkerLost:
        return {"died": "lost"}
    if answer["late"]:
        return {"died": "late"}
    try:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"died": "late" if answer["cpu_seconds"] >= bounds.cpu_seconds - 1 else "memory"}
    return result


def _emptied(folder: Path) -> Path:
    """The same folder without what a child left that was killed in the middle."""
    shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    return folder


def _cause(result: Mapping[str, Any], bounds: Bounds) -> str:
    hint = "Save only the rows in use as a new workbook, or export CSV."
    if result["died"] == "late":
        seconds = min(bounds.wall_seconds, bounds.cpu_seconds)
        return f"Expected a workbook that is read within {seconds} seconds, found one that takes longer. {hint}"
    if result["died"] == "fault":
        return (
            f"Expected a workbook, found one that cannot be read ({result['fault']}). Open it in a spreadsheet "
            "program and save it as a new .xlsx, or export CSV."
        )
    memory = bounds.memory_bytes // MiB
    return f"Expected a workbook that is read in {memory} MB of memory, found one that takes more. {hint}"
