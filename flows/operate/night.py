"""One run from its lock to its last word: what all stages share, what is resumed after a kill, how it ends.

A night holds the lock of its workspace from before anything is read until after everything is written. It registers
itself, continues a killed run that would do the same work, and on its way out notes the outcome and tells the operator
when that outcome is bad.
"""

import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import Engine

from flows.config import Config
from flows.errors import AuditRefused, PlanloopError
from flows.operate.lock import night_lock
from flows.operate.logs import LOGGER, log_event
from flows.operate.manifest import RunManifest, read_manifest
from flows.state import runs
from flows.state.database import open_state
from flows.workspace import Workspace

PROJECT = Path(__file__).parents[2]
_CODE = {"flows": ("*.py", "*.yaml"), "schemas": ("*.py", "*.yaml"), "dbt_project": ("*.sql", "*.yml")}
Stage = Literal[
    "land", "validate", "record", "build", "plan", "forecast", "outlook", "audit", "publish", "notify", "report"
]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In the order of the night."""


@dataclass
class Night:
    """What every stage of one run is given."""

    config: Config
    workspace: Workspace
    as_of: date
    is_rebuild: bool
    accept_shrink: frozenset[str]
    env: Mapping[str, str]
    state: Engine
    manifest: RunManifest
    unannounced: RunManifest | None = None
    """An earlier run that was published and then killed before its alerts were looked at."""

    @property
    def run_id(self) -> str:
        """The as-of date and the number of the run among those of that date."""
        return self.manifest.run_id

    def result(self, stage: Stage) -> dict[str, Any]:
        """What a finished stage noted; empty when it has not run."""
        return self.manifest.stages.get(stage, {})

    def stage(self, name: Stage, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a stage once: a stage that this run has finished before it was killed is not done again.

        Args:
            name: the stage, as ARCHITECTURE.md lists them.
            work: does the stage and returns what is worth noting, fit for JSON.
        """
        if self.manifest.is_done(name):
            log_event(name, "done before the run was interrupted")
            return self.result(name)
        log_event(name, "started")
        began, cpu_began = time.monotonic(), time.process_time()
        result = work()
        self.manifest.stages[name] = result
        self.manifest.seconds[name] = round(time.monotonic() - began, 2)
        self.manifest.save(manifest_path(self.workspace))
        cpu_seconds = round(time.process_time() - cpu_began, 2)
        log_event(name, "finished", seconds=self.manifest.seconds[name], cpu_seconds=cpu_seconds)
        return result

    def restart(self) -> None:
        """Forget the finished stages: the inputs are not those they were made from.

        A run that was published before it was interrupted keeps its version; what follows is a run of its own.
        """
        log_event("land", "inputs changed since the run was interrupted; it starts again")
        clear_build(self.workspace)
        if (self.workspace.published / "v" / self.run_id).exists():
            self.unannounced = self.manifest if _is_unannounced(self.manifest) else None
            message = "interrupted after publication; its inputs changed before it was continued"
            runs.finish(self.state, self.run_id, state="published", exit_code=1, message=message, now=_now())
            shrink = self.manifest.accept_shrink
            self.manifest = _begin(self.config, self.workspace, self.as_of, self.is_rebuild, shrink, self.state)
        self.manifest.stages.clear()
        self.manifest.seconds.clear()
        self.manifest.save(manifest_path(self.workspace))


def manifest_path(workspace: Workspace) -> Path:
    """Where the run in progress keeps its manifest."""
    return workspace.build / "run.json"


@contextmanager
def open_night(
    config: Config,
    workspace: Workspace,
    as_of: date,
    *,
    is_rebuild: bool,
    accept_shrink: frozenset[str],
    env: Mapping[str, str],
    on_bad_end: Callable[[Night, Exception], None],
) -> Iterator[Night]:
    """Hold the lock, register or resume the run, and note how it ends.

    Args:
        on_bad_end: called when the run fails or is refused, still under the lock; tells the operator.

    Raises:
        TransientError: another night is at work in this workspace.
    """
    workspace.prepare()
    with night_lock(workspace.lock):
        state = open_state(config.settings.state_url or workspace.state_url)
        runs.mark_killed(state, now=_now())
        manifest, unannounced = _resume_or_begin(config, workspace, as_of, is_rebuild, accept_shrink, state)
        night = Night(config, workspace, as_of, is_rebuild, accept_shrink, env, state, manifest, unannounced)
        try:
            yield night
        except Exception as error:
            outcome = "refused" if isinstance(error, AuditRefused) else "failed"
            code = error.exit_code if isinstance(error, PlanloopError) else 1
            logging.getLogger(LOGGER).exception("the run %s", outcome, extra={"stage": "end", "fields": {}})
            runs.finish(state, night.run_id, state=outcome, exit_code=code, message=str(error), now=_now())
            on_bad_end(night, error)
            raise
        runs.finish(state, night.run_id, state="published", exit_code=exit_code(night), message=None, now=_now())
        clear_build(workspace)


def exit_code(night: Night) -> int:
    """How a published night ends: 1 with mails undelivered, 3 with too many rows quarantined, else 0."""
    if night.result("notify").get("pending"):
        return 1
    return 3 if quarantined_share(night) > night.config.settings.quarantine_limit else 0


def quarantined_share(night: Night) -> float:
    """The largest share of quarantined rows of any entity in tonight's files."""
    totals: dict[str, list[int]] = {}
    for account in night.result("record").get("files", []):
        total = totals.setdefault(account["entity"], [0, 0])
        total[0] += account["rows_in"]
        total[1] += account["rows_quarantined"]
    return max((bad / total for total, bad in totals.values() if total), default=0.0)


def clear_build(workspace: Workspace) -> None:
    """Empty the build folder, but for dbt's parsed project, which the next night reuses."""
    if not workspace.build.exists():
        return
    for item in workspace.build.iterdir():
        if item.name == "dbt":
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def code_fingerprint() -> str:
    """A hash of the code that makes marts from inputs: flows, schemas and the dbt project."""
    digest = hashlib.sha256()
    for folder, patterns in _CODE.items():
        for path in sorted(path for pattern in patterns for path in (PROJECT / folder).rglob(pattern)):
            if "target" not in path.parts:
                digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _resume_or_begin(
    config: Config, workspace: Workspace, as_of: date, is_rebuild: bool, accept_shrink: frozenset[str], state: Engine
) -> tuple[RunManifest, RunManifest | None]:
    code = code_fingerprint()
    shrink = sorted(accept_shrink)
    unfinished = read_manifest(manifest_path(workspace))
    if unfinished and unfinished.is_continued_by(
        as_of, is_rebuild=is_rebuild, config=config.fingerprint, code=code, accept_shrink=shrink
    ):
        _register(state, unfinished)
        log_event("start", "an interrupted run goes on", run_id=unfinished.run_id, done=list(unfinished.stages))
        return unfinished, None
    clear_build(workspace)
    manifest = _begin(config, workspace, as_of, is_rebuild, shrink, state)
    return manifest, unfinished if unfinished and _is_unannounced(unfinished) else None


def _begin(
    config: Config, workspace: Workspace, as_of: date, is_rebuild: bool, shrink: list[str], state: Engine
) -> RunManifest:
    """A new run. Its manifest comes first: a run that is killed in between goes on under the same number."""
    run_id = runs.next_run_id(state, as_of)
    manifest = RunManifest(run_id, as_of.isoformat(), is_rebuild, config.fingerprint, code_fingerprint(), shrink)
    manifest.save(manifest_path(workspace))
    _register(state, manifest)
    log_event("start", "a run begins", run_id=run_id, as_of=as_of.isoformat())
    return manifest


def _register(state: Engine, manifest: RunManifest) -> None:
    runs.start(
        state,
        manifest.run_id,
        date.fromisoformat(manifest.as_of),
        is_rebuild=manifest.is_rebuild,
        code_fingerprint=manifest.code_fingerprint,
        config_fingerprint=manifest.config_fingerprint,
        now=_now(),
    )


def _is_unannounced(run: RunManifest) -> bool:
    """Whether a run was published and its mails have not gone out; a rebuild mails nobody."""
    return run.is_done("publish") and not run.is_done("notify") and not run.is_rebuild


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
