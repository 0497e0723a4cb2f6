"""How much memory this process and all that it has started take beyond what they took before.

Every few milliseconds the resident memory of each process of the tree is read from ``/proc/<pid>/smaps_rollup`` and
summed (``Pss``: pages that a forked child shares with its parent count once).
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

MiB = 1 << 20
_EVERY_SECONDS = 0.01


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
                found.setdefault(parent, []).append(int(entry))
    return found


def tree() -> list[int]:
    """This process and its descendants."""
    children = _children()
    found, waiting = [], [os.getpid()]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def resident() -> int:
    """Bytes that the tree takes."""
    total = 0
    for pid in tree():
        with suppress(OSError, IndexError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(text.partition("\nPss:")[2].split()[0]) << 10
    return total


class MemoryWatch:
    """Measures while its context lasts.

    Attributes:
        extra: most bytes seen beyond the start.
    """

    def __enter__(self) -> "MemoryWatch":
        self.base = resident()
        self.extra = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._done.is_set():
            self.extra = max(self.extra, resident() - self.base)
            time.sleep(_EVERY_SECONDS)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
