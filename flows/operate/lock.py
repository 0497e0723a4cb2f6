"""The mutex of a night: one OS lock on one file of the workspace.

The kernel holds the lock for the open file, so that it ends with the process, however the process ends: a killed night
leaves no lock behind and nothing has to be cleaned up by hand. What stands *in* the file only tells a person who holds
it. A child that was forked (not executed) shares the lock until it ends, which is right: it may still be writing.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.errors import TransientError


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, as written by the holder.

    Attributes:
        pid: process id on ``host``, or None while the holder has not written it yet.
        host: name of the machine.
        since: when the lock was taken (UTC).
    """

    pid: int | None
    host: str
    since: datetime

    def __str__(self) -> str:
        """The holder as one clause of a message."""
        who = f"process {self.pid}" if self.pid else "another process"
        return f"{who} on {self.host or 'this machine'}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def night_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a workspace for the length of a ``with`` block; never wait for it.

    Args:
        path: the lock file; made when absent, never removed (removing it would let two processes lock two files).

    Raises:
        TransientError: another process holds it; the message says which and since when.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _try_lock(handle):
            message = (
                f"Expected to be alone in {path.parent}, found a night at work there: {_read_holder(handle)}. "
                f"Wait until it has ended, or stop that process, then run again. (Lock file: {path})"
            )
            raise TransientError(message)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def lock_holder(path: Path) -> Holder | None:
    """Who holds the lock now, or None when it is free. To find out, a free lock is held for an instant."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _try_lock(handle) else _read_holder(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Lock an open file without waiting."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(handle: int) -> Holder:
    """What the holder wrote about itself; the file's own time says since when."""
    words = os.pread(handle, 512, 0).decode(errors="replace").split()
    since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC).replace(microsecond=0)
    pid = int(words[0]) if words and words[0].isdigit() else None
    return Holder(pid=pid, host=words[1] if len(words) > 1 else "", since=since)
