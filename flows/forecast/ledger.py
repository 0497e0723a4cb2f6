"""The forecast ledger: every forecast of every night, one file a run, never rewritten."""

from datetime import date
from pathlib import Path

import polars as pl

from flows.errors import PermanentError
from flows.history.durable import replace_file
from flows.warehouse.inputs import FORECAST
from flows.workspace import Workspace


def append(workspace: Workspace, as_of: date, run_id: str, frame: pl.DataFrame) -> Path:
    """Enter the forecast of one run; the same forecast entered again changes nothing.

    Args:
        workspace: where the ledger is.
        as_of: the night.
        run_id: the run.
        frame: columns of ``FORECAST``, all of this night and run.

    Raises:
        PermanentError: the run has entered another forecast, or rows are of another night or run.
    """
    foreign = frame.filter((pl.col("as_of_date") != as_of) | (pl.col("run_id") != run_id))
    if foreign.height:
        found = foreign.select("as_of_date", "run_id").row(0)
        raise PermanentError(
            f"forecast ledger: expected rows of {as_of}, run {run_id}; found {found[0]}, run {found[1]}"
        )
    path = workspace.forecasts / as_of.isoformat() / f"{run_id}.parquet"
    entry = frame.select(pl.col(name).cast(dtype) for name, dtype in FORECAST.items())
    if path.exists():
        if pl.read_parquet(path).equals(entry):
            return path
        raise PermanentError(
            f"{path}: the ledger holds another forecast of this run and is never rewritten; start a new run"
        )
    return replace_file(path, entry.write_parquet)


def read_ledger(workspace: Workspace, *, until: date) -> pl.DataFrame:
    """The forecasts of all nights up to ``until``, of each night those of its last run; columns ``FORECAST``."""
    frames = [pl.DataFrame(schema=FORECAST)]
    for folder in sorted(workspace.forecasts.glob("????-??-??")):
        runs = sorted(folder.glob("*.parquet"))
        if runs and date.fromisoformat(folder.name) <= until:
            frames.append(pl.read_parquet(runs[-1]))
    return pl.concat(frames)
