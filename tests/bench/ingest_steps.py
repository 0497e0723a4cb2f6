"""One process of ``bench_ingest``: a night up to ``record``, or the bare scan it is held against; prints one JSON line.

python -m tests.bench.ingest_steps night WORKSPACE AS_OF [--commit]
python -m tests.bench.ingest_steps scan FILE THREADS
"""

import json
import os
import shutil
import sys
import time
from datetime import date
from pathlib import Path

CONFIG = Path(__file__).parent / "config_ingest"


def night(workspace_dir: str, as_of_text: str, *, commit: bool) -> dict[str, object]:
    """Land, validate and record as the night does, without Prefect and dbt."""
    # Its first check loads Hypothesis where that is installed, which is with developers only.
    import pandera.backends.polars.builtin_checks  # noqa: F401

    from flows.config import load
    from flows.history.commit import commit_night
    from flows.history.known import last_known, last_night
    from flows.history.record import stage_night
    from flows.ingest.identity import resolve
    from flows.ingest.landing import land
    from flows.ingest.settled.exports import Exports
    from flows.ingest.validation import borders_of, judge
    from flows.workspace import Workspace

    config = load(CONFIG, dict(os.environ))
    workspace, as_of = Workspace(Path(workspace_dir)), date.fromisoformat(as_of_text)
    shutil.rmtree(workspace.landing / as_of_text, ignore_errors=True)
    workspace.prepare()
    sources, engine = config.sources.sources, config.settings.engine
    began, cpu_began = time.monotonic(), time.process_time()
    landed = land(sources, workspace, as_of)
    at_landed = time.monotonic()
    of_company = (config.settings, config.stages)
    memory = Exports(workspace, *of_company, sources, last_night(workspace, as_of))
    borders = borders_of(landed, sources, *of_company, workspace, as_of)
    judged = judge(borders, sources, *of_company, workspace, as_of, memory)
    known = last_known(workspace, as_of, engine=engine)
    accounts = resolve(borders, judged, sources, config.settings, workspace.build, known, memory)
    at_validated = time.monotonic()
    limits = {"memory_limit": engine.memory_limit, "threads": engine.threads}
    recorded = stage_night(workspace, as_of, list(sources.values()), accounts, **limits)
    ended = time.monotonic()
    if commit:
        commit_night(workspace, as_of)
    (account,) = recorded
    return {
        "seconds": ended - began,
        "cpu": time.process_time() - cpu_began,
        "land": at_landed - began,
        "validate": at_validated - at_landed,
        "record": ended - at_validated,
        "rows": [account.rows_in, account.rows_new, account.rows_changed, account.rows_deleted],
        "settled": account.rows_settled,
    }


def scan(file: str, threads: str) -> dict[str, object]:
    """What reading the file costs at least: every value of every column is looked at once."""
    import duckdb

    with duckdb.connect(config={"threads": int(threads)}) as connection:
        began, cpu_began = time.monotonic(), time.process_time()
        (rows, _), *_ = connection.execute(f"select count(*), sum(hash(*columns(*))) from '{file}'").fetchall()  # noqa: S608
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu_began
        return {"seconds": seconds, "cpu": cpu, "rows": [rows]}


if __name__ == "__main__":
    step, *arguments = sys.argv[1:]
    done = scan(*arguments) if step == "scan" else night(*arguments[:2], commit="--commit" in arguments)
    print(json.dumps(done))
