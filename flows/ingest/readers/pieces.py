"""Large files in pieces, several of which are looked at at a time; what is found in them comes in their order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")

PIECE = 1 << 20
"""Bytes that are looked at at a time: a piece, and what is found in it, fit in the cache that a core has of its own."""
AT_A_TIME = 2


def in_order(
    workers: ThreadPoolExecutor, work: Callable[[Given], Found], items: Iterable[Given], ahead: int
) -> Iterator[Found]:
    """What a function makes of each item, in their order; of the next ones it is made meanwhile.

    Args:
        workers: run the function.
        work: the function.
        items: taken as they are needed.
        ahead: how many items it may be ahead.
    """
    waiting: deque[Future[Found]] = deque()
    for item in items:
        waiting.append(workers.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def each_piece(
    path: Path, work: Callable[[int, bytes], Found], piece_bytes: int, *, beyond: int = 0
) -> Iterator[Found]:
    """What a function finds in the pieces of a file.

    Args:
        path: the file.
        work: is given where a piece begins, and its bytes.
        piece_bytes: size of all pieces but the last.
        beyond: how many bytes of the next piece it is given as well.
    """
    with path.open("rb", buffering=0) as stream, ThreadPoolExecutor(AT_A_TIME) as workers:
        size = os.fstat(stream.fileno()).st_size

        def read(offset: int) -> Found:
            return work(offset, os.pread(stream.fileno(), piece_bytes + beyond, offset))

        yield from in_order(workers, read, range(0, size, piece_bytes), AT_A_TIME)
