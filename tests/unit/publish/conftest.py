"""A small candidate with three marts, and the workspace it is published in."""

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.publish import layout
from flows.publish.manifest import Provenance
from flows.workspace import Workspace

AS_OF = date(2025, 3, 31)
META = Provenance(code_version="0.1.0", config_hash="c0ffee", versions={"dbt": "1.11.16"}, measures={"amount": 1.5})

MakeCandidate = Callable[..., Path]


def write_candidate(
    path: Path, run_id: str, *, rows: int = 300, order: str = "number", storage: str = "v1.2.0"
) -> Path:
    """A candidate whose content depends on ``run_id`` and ``rows`` only; ``order`` is that of insertion."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path), config={"storage_compatibility_version": storage}) as connection:
        connection.execute("create schema marts")
        source = f"(select unnest(range({rows})) as number)"
        connection.execute(
            f"create table marts.fct_opportunity as select 'O-' || number as opportunity_id,"
            f" (number * 12.5)::decimal(18, 2) as amount, nullif(number % 7, 0) as stage_no,"
            f" '客户' || number % 5 as account, '{run_id}' as run_id from {source} order by {order}"
        )
        connection.execute(
            f"create table marts.mart_target_attainment as select date '2025-01-01' + number::integer as day,"
            f" number / 3.0 as attainment, '{run_id}' as run_id from {source} order by {order}"
        )
        connection.execute(f"create table marts.mart_deviation as select '{run_id}' as run_id, 1 as n limit 0")
    return path


@pytest.fixture
def workspace(tmp_path: Path):
    """An empty workspace; read-only versions are opened up again so that pytest can remove them."""
    space = Workspace(tmp_path / "workspace")
    space.prepare()
    yield space
    if os.path.isdir(space.published):
        layout.remove_tree(space.published)


@pytest.fixture
def make_candidate(workspace: Workspace) -> MakeCandidate:
    """Writes the candidate of a run into the workspace."""

    def make(run_id: str, **options: object) -> Path:
        shutil.rmtree(workspace.build, ignore_errors=True)
        return write_candidate(workspace.candidate, run_id, **options)

    return make
