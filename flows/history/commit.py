"""Making a night part of the change log: all of its files or none, whatever moment the process is killed at.

1. Links to the staged files are gathered in ``history/_pending`` and flushed. Killed here: the next run drops them.
2. The journal ``history/_pending/journal.json`` appears by one rename. This is the moment of commitment.
3. Each file is renamed to its place, what the same night left from an earlier run is removed, and the journal goes
last.
   Killed here: the next run finishes from the journal; every step may be repeated.

The staged files stay where they are, so a build that reads them by link is not disturbed.
"""

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from flows.errors import PermanentError
from flows.history.accounting import staged_accounting
from flows.history.change_log import ACCOUNTING, nights
from flows.history.durable import flush_folder, link_or_copy, replace_file
from flows.history.quarantine import staged_quarantine
from flows.history.quarantine_ledger import ledger_file, staged_ledger
from flows.ingest.settled.memory import memories_but_of, staged_moves
from flows.workspace import Workspace


def commit_night(workspace: Workspace, as_of: date) -> None:
    """Move the staged night to ``history/`` and ``quarantine/``; repeated, it does the same again.

    Args:
        workspace: holds the staged night in ``build/night``.
        as_of: the night, the newest or a new one.

    Raises:
        PermanentError: nothing is staged, another night is, or a later one is recorded.
    """
    recover(workspace)
    _check(workspace, as_of)
    pending = workspace.history / "_pending"
    pending.mkdir(parents=True)
    moves = []
    for number, (staged, final) in enumerate(_moves(workspace, as_of)):
        name = f"{number:03d}.parquet"
        link_or_copy(staged, pending / name)
        moves.append({"from": name, "to": str(final.relative_to(workspace.root))})
    flush_folder(pending)
    targets = {move["to"] for move in moves}
    outdated = [*workspace.history.glob(f"*/{as_of}.parquet"), *_memories_not_needed(workspace, as_of)]
    stale = sorted(str(path.relative_to(workspace.root)) for path in outdated)
    journal = {"as_of": as_of.isoformat(), "moves": moves, "remove": [path for path in stale if path not in targets]}
    replace_file(_journal(workspace), lambda path: path.write_text(json.dumps(journal, indent=1)))
    flush_folder(workspace.history)
    recover(workspace)


def recover(workspace: Workspace) -> date | None:
    """Finish a commit that was interrupted after its journal was written, or drop one that was not.

    Call it under the night's lock before the change log is read.

    Returns:
        The night that was finished, or None.
    """
    pending, journal_path = workspace.history / "_pending", _journal(workspace)
    if not journal_path.exists():
        if pending.exists():
            shutil.rmtree(pending)
        return None
    journal = json.loads(journal_path.read_text())
    for move in journal["moves"]:
        _move(pending / move["from"], workspace.root / move["to"])
    for name in journal["remove"]:
        (workspace.root / name).unlink(missing_ok=True)
    for folder in sorted({(workspace.root / name).parent for name in _touched(journal)}):
        flush_folder(folder)
    journal_path.unlink()
    flush_folder(pending)
    shutil.rmtree(pending)
    return date.fromisoformat(journal["as_of"])


def _journal(workspace: Workspace) -> Path:
    return workspace.history / "_pending" / "journal.json"


def _moves(workspace: Workspace, as_of: date) -> list[tuple[Path, Path]]:
    """Staged files and their final places; the accounting last, because a night exists once its accounting does."""
    staged = workspace.build / "night"
    entities = sorted(path for path in staged.glob("*.parquet") if not path.name.startswith(("_", ".")))
    return [
        *((path, workspace.history / path.stem / f"{as_of}.parquet") for path in entities),
        (staged_quarantine(workspace), workspace.quarantine_file(as_of)),
        (staged_ledger(workspace), ledger_file(workspace, as_of)),
        *staged_moves(workspace, as_of),
        (staged_accounting(workspace), workspace.history / ACCOUNTING / f"{as_of}.parquet"),
    ]


def _memories_not_needed(workspace: Workspace, as_of: date) -> list[Path]:
    """What earlier nights accepted, but for the one before this: it is needed if this night is run again."""
    before = max((night for night in nights(workspace) if night < as_of), default=None)
    return memories_but_of(workspace, before)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)


def _touched(journal: dict[str, Any]) -> list[str]:
    return [move["to"] for move in journal["moves"]] + journal["remove"]


def _check(workspace: Workspace, as_of: date) -> None:
    import polars as pl

    path = staged_accounting(workspace)
    if not path.exists() or not staged_quarantine(workspace).exists():
        raise PermanentError(f"expected the staged night {as_of} in {path.parent}, found none; record the night first")
    staged = set(pl.read_parquet(path, columns=["as_of_date"])["as_of_date"])
    if staged - {as_of}:
        found = ", ".join(sorted(str(night) for night in staged))
        raise PermanentError(f"expected the staged night {as_of} in {path.parent}, found {found}; record {as_of} again")
    later = [night for night in nights(workspace) if night > as_of]
    if later:
        raise PermanentError(
            f"expected {as_of} to be the newest night, but {later[-1]} is recorded; nothing was changed"
        )
