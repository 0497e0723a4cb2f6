"""A copy of a night's build folder, taken while the night runs: what dbt reads, without what dbt writes.

The night empties its build folder when it has ended, so a benchmark that builds the same marts again takes its inputs
while the audit is at work. Files are hard-linked, which costs the night nothing.
"""

import json
import os
import shutil
from pathlib import Path

from flows.workspace import Workspace


class BuildCopy:
    """Takes the copy once; call it as often as you like while the night runs.

    Args:
        workspace: of the night.
        folder: where the copy goes; on the same disk.
        after: the stage whose end starts the copy. The forecast is then among the inputs.
    """

    def __init__(self, workspace: Workspace, folder: Path, after: str = "forecast") -> None:
        self._workspace = workspace
        self._after = after
        self.folder = folder
        self.is_taken = False

    def __call__(self) -> None:
        """Take the copy if its moment has come and it has not been taken."""
        if self.is_taken:
            return
        try:
            manifest = json.loads((self._workspace.build / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return
        if self._after in manifest["stages"]:
            self._take()
            self.is_taken = True

    def _take(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in ("inputs", "log"):
            for path in sorted((self._workspace.build / part).rglob("*.parquet")):
                target = self.folder / part / path.relative_to(self._workspace.build / part)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(path.resolve(), target)

    def clear_databases(self) -> None:
        """Remove what a build wrote, and keep dbt's parsed project."""
        for path in self.folder.glob("*.duckdb*"):
            path.unlink()
