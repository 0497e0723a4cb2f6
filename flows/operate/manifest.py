"""What a run has finished so far, on disk, so that a killed night goes on where it stopped.

A stage is done when its outputs are on disk and then its line in the manifest; a kill between the two repeats the
stage, and every stage may be repeated.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any


@dataclass
class RunManifest:
    """One run: what it is made from, and the results of the stages it has finished."""

    run_id: str
    as_of: str
    is_rebuild: bool
    config_fingerprint: str
    code_fingerprint: str
    accept_shrink: list[str] = field(default_factory=list)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def is_continued_by(
        self, as_of: date, *, is_rebuild: bool, config: str, code: str, accept_shrink: list[str]
    ) -> bool:
        """Whether a run with these ingredients may go on from here: it would do the same work."""
        return (self.as_of, self.is_rebuild, self.config_fingerprint, self.code_fingerprint, self.accept_shrink) == (
            as_of.isoformat(),
            is_rebuild,
            config,
            code,
            accept_shrink,
        )

    def is_done(self, stage: str) -> bool:
        """Whether the stage has finished."""
        return stage in self.stages

    def save(self, path: Path) -> None:
        """Write the manifest so that a crash leaves either the old or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def read_manifest(path: Path) -> RunManifest | None:
    """The manifest of the run in progress or last ended, or None."""
    try:
        return RunManifest(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
