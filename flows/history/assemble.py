"""What tonight's build reads of the change log: one folder per entity, up to the as-of date and no further.

The folder holds links to the files of the nights. Where days came in late or again it holds one file with the settled
history, and the link to tonight's own file lies below it in ``recorded``, for the audit.
"""

import os
import shutil
from datetime import date
from pathlib import Path

import duckdb

from flows.errors import PermanentError
from flows.history.accounting import write_source_file
from flows.history.change_log import (
    EMPTY_FILE,
    SETTLED_FILE,
    EntityColumns,
    empty_log,
    night_files,
    nights,
    open_engine,
)
from flows.history.commit import recover
from flows.history.settled import needs_settling, write_settled
from flows.workspace import Workspace
from schemas.registry import ENTITIES


def assemble(workspace: Workspace, as_of: date, *, rebuild: bool, memory_limit: str = "4GB", threads: int = 2) -> None:
    """Fill ``build/log/<entity>/`` for all entities, and ``build/inputs/source_file.parquet``.

    Args:
        workspace: where the nights are.
        as_of: the night to build.
        rebuild: build the recorded night ``as_of`` again, from the change log alone; else the nights before ``as_of``
            and the staged one in ``build/night``.
        memory_limit: of the engine that settles histories; more is spilled to disk.
        threads: of the engine.

    Raises:
        PermanentError: ``rebuild`` of a night that was never recorded.
    """
    recover(workspace)
    if rebuild and as_of not in nights(workspace):
        known = ", ".join(str(night) for night in nights(workspace)[-5:]) or "none"
        raise PermanentError(
            f"expected a recorded night to rebuild, found no {as_of} in {workspace.history}; newest: {known}"
        )
    shutil.rmtree(workspace.build / "log", ignore_errors=True)
    with open_engine(workspace, memory_limit=memory_limit, threads=threads) as connection:
        for entity in ENTITIES:
            _assemble_entity(connection, workspace, entity, as_of, rebuild=rebuild)
    write_source_file(workspace, as_of, rebuild=rebuild)


def _assemble_entity(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, entity: str, as_of: date, *, rebuild: bool
) -> None:
    folder = workspace.build_log(entity)
    folder.mkdir(parents=True)
    empty_log(entity).write_parquet(folder / EMPTY_FILE)
    links = {path.name: path for path in night_files(workspace, entity, as_of, including=rebuild)}
    staged = workspace.build / "night" / f"{entity}.parquet"
    if not rebuild and staged.exists():
        links[f"{as_of}.parquet"] = staged
    files = list(links.values())
    if not needs_settling(connection, files):
        for name, path in links.items():
            _link(path, folder / name)
        return
    write_settled(connection, EntityColumns.of(entity), files, folder / SETTLED_FILE)
    tonight = f"{as_of}.parquet"
    if tonight in links:
        (folder / "recorded").mkdir()
        _link(links[tonight], folder / "recorded" / tonight)


def _link(target: Path, link: Path) -> None:
    """A relative link: a workspace can be moved or mounted elsewhere."""
    link.symlink_to(os.path.relpath(target, link.parent))
