"""What changed since a moment, read in the order of ids: no record is lost or repeated, whatever changes meanwhile.

For vendors whose records carry the moment of their last change and have ascending ids. That moment is usually when a
transaction began, so that one which took long shows up behind others: each pull begins a margin before the newest
change of the last one, and what lies in the margin is read again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flows.ingest.crm.protocol import Cursor, Record

MARGIN_SECONDS = 300


def resumed(since: Cursor | None, fields: Sequence[str]) -> Cursor:
    """The cursor to go on from: an empty one at the first time, and where other fields were asked for before."""
    return since if since and since.get("fields") == list(fields) else {}


def changed_records(
    since: Cursor,
    fields: Sequence[str],
    limit: int,
    newest: Callable[[], str | None],
    read: Callable[[str | None, int], list[Record]],
) -> Iterator[tuple[list[Record], Cursor]]:
    """Pages of what changed since a cursor, each with the cursor behind it.

    Args:
        since: as `resumed` gives it.
        fields: asked for; kept in the cursors.
        limit: records a page.
        newest: when the newest change was made that can be seen now, as text that sorts by time; None without records.
        read: (changes up to this moment were read before, or None; last id) -> at most ``limit`` records in the order
            of their ids.
    """
    kept: dict[str, Any] = {"fields": list(fields)}
    at, after = since.get("at"), since.get("after", 0)
    # Taken before the first page: what changes while pages are read counts as not yet read.
    until = since["until"] if "until" in since else newest()
    while True:
        records = read(at, after)
        if len(records) < limit:
            yield records, {**kept, "at": max(filter(None, (at, until)), default=None)}
            return
        after = records[-1]["id"]
        yield records, {**kept, "at": at, "until": until, "after": after}


def all_ids(limit: int, read: Callable[[int], list[int]]) -> Iterator[tuple[list[int], Cursor]]:
    """Pages of the ids of all records; ``read`` gives at most ``limit`` that follow an id, in their order."""
    after = 0
    while True:
        ids = read(after)
        after = ids[-1] if ids else after
        yield ids, {"after": after}
        if len(ids) < limit:
            return
