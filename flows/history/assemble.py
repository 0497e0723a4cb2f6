"""What tonight's build reads of the change log: one folder of links per entity, up to the as-of date and no further."""

import os
import shutil
from datetime import date
from pathlib import Path

from flows.errors import PermanentError
from flows.history.accounting import write_source_file
from flows.history.change_log import EMPTY_FILE, empty_log, night_files, nights
from flows.history.commit import recover
from flows.workspace import Workspace
from schemas.registry import ENTITIES


def assemble(workspace: Workspace, as_of: date, *, rebuild: bool) -> None:
    """Fill ``build/log/<entity>/`` for all entities, and ``build/inputs/source_file.parquet``.

    Args:
        workspace: where the nights are.
        as_of: the night to build.
        rebuild: build the recorded night ``as_of`` again, from the change log alone; else the nights before ``as_of``
            and the staged one in ``build/night``.

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
    for entity in ENTITIES:
        folder = workspace.build_log(entity)
        folder.mkdir(parents=True)
        empty_log(entity).write_parquet(folder / EMPTY_FILE)
        for path in night_files(workspace, entity, as_of, including=rebuild):
            _link(path, folder / path.name)
        staged = workspace.build / "night" / f"{entity}.parquet"
        if not rebuild and staged.exists():
            _link(staged, folder / f"{as_of}.parquet")
    write_source_file(workspace, as_of, rebuild=rebuild)


def _link(target: Path, link: Path) -> None:
    """A relative link: a workspace can be moved or mounted elsewhere."""
    link.symlink_to(os.path.relpath(target, link.parent))
