"""A night as far as the stage spells: pulled, judged, recorded, built, committed. Run as a program, it can be killed.

``python -m tests.crm_servers.nights CONFIG WORKSPACE AS_OF``
"""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.config import load
from flows.history.accounting import recorded_files
from flows.history.change_log import nights
from flows.history.commit import commit_night, recover
from flows.history.known import last_known, last_night
from flows.history.tasks import record
from flows.ingest.tasks import land, validate
from flows.operate.environment import prepare
from flows.operate.night import PROJECT, Night, open_night
from flows.warehouse.dbt import DbtProject
from flows.warehouse.tasks import _write_inputs
from flows.workspace import Workspace

MODELS = ("--select", "+fct_stage_spell", "--indirect-selection", "cautious")


def night(config_folder: Path, folder: Path, as_of: date, query: str) -> list[tuple[Any, ...]]:
    """Do a night, and ask what it built.

    The stages are those of ``flows.nightly`` without those that only read the spells: forecast, audit and what follows.

    Args:
        config_folder: the company's configuration; variables are taken from the environment.
        folder: the workspace.
        as_of: the night.
        query: of tables in schema ``marts``.
    """
    workspace = Workspace(folder)
    env = prepare(os.environ, workspace)
    config = load(config_folder, env)
    with open_night(
        config, workspace, as_of, is_rebuild=False, accept_shrink=frozenset(), env=env, on_bad_end=_say_nothing
    ) as tonight:
        recover(workspace)
        files = land(tonight, recorded_files(workspace, as_of), nights(workspace))
        known = last_known(workspace, as_of, engine=config.settings.engine)
        validate(tonight, files, known, last_night(workspace, as_of))
        record(tonight)
        _write_inputs(tonight)
        DbtProject(PROJECT / "dbt_project", workspace.build, config.settings.engine).run(*MODELS)
        with duckdb.connect(str(workspace.candidate), read_only=True) as connection:
            found = connection.execute(query).fetchall()
        commit_night(workspace, as_of)
    return found


def _say_nothing(_night: Night, _error: Exception) -> None:
    """Nobody is told that a test failed, but by the test."""


if __name__ == "__main__":
    night(Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3]), "select 1")
