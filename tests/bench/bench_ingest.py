"""What reading, judging and comparing a full export costs, against DuckDB's bare scan of the same file.

    python -m tests.bench.bench_ingest [--rows 10000000] [--repetitions 3] [--formats parquet csv]

A history of opportunities is recorded one night; on the next night 0.5 % of its rows differ. Measured is that next
night from ``land`` to ``record`` (copied, hashed, read, mapped, judged, keys settled, compared with the change log; no
dbt), and in turn with it ``select count(*), sum(hash(…))`` over all columns of the same file with as many threads. Each
is a process of its own; wall seconds are those of the work in it, without starting Python, which stand beside. CPU
seconds are given too: on a machine that others use, they are what can be compared. Memory is sampled over the whole
process tree.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.bench_night import PROJECT, rounded, say
from tests.bench.ingest_data import NIGHTS, Changes, write_exports
from tests.bench.measure import Usage, measure

SHARE = 0.005
THREADS = 2
TARGETS = {"parquet": 6.0, "csv": 3.0}
TARGET_GIB = 4.0


def main() -> None:
    """Measure and print one JSON line a process, then a line a format."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--formats", nargs="+", choices=sorted(TARGETS), default=["parquet", "csv"])
    options.add_argument("--keep", type=Path, help="work here and keep it, instead of in a temporary folder")
    chosen = options.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="planloop-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for file_format in chosen.formats:
            compare(folder.resolve(), file_format, chosen.rows, chosen.repetitions)
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, file_format: str, rows: int, repetitions: int) -> None:
    """Record the first night, then measure the second one and the bare scan in turn."""
    data, workspace, log = folder / f"data-{rows}", folder / f"workspace-{rows}-{file_format}", folder / "output.log"
    changes = write_exports(data, rows, file_format, SHARE)
    env = {**os.environ, "PLANLOOP_BENCH": str(data), "PLANLOOP_BENCH_FORMAT": file_format}
    shutil.rmtree(workspace, ignore_errors=True)
    first, second = NIGHTS
    _, usage = run(["night", str(workspace), first, "--commit"], env, log)
    say({"process": "first night", "format": file_format, "rows": rows, **usage.rounded()})
    scanned = str(data / second / f"history.{file_format}")
    commands = {"night": ["night", str(workspace), second], "scan": ["scan", scanned, str(THREADS)]}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    peak_gib = 0.0
    for repetition in range(repetitions + 1):
        for name, command in commands.items():
            result, usage = run(command, env, log)
            if name == "night":
                check(result["rows"], rows, changes)
                peak_gib = max(peak_gib, usage.peak_mib / 1024)
            if repetition:  # the first turn only warms up
                seconds[name].append(result["seconds"])
                cpu[name].append(result["cpu"])
                say({"process": name, "format": file_format, "work": result, **usage.rounded()})
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    cpu_medians = {name: statistics.median(taken) for name, taken in cpu.items()}
    ratio = medians["night"] / medians["scan"]
    say(
        {
            "bench": "ingest",
            "format": file_format,
            "rows": rows,
            "wall_medians": rounded(medians),
            "cpu_medians": rounded(cpu_medians),
            "ratio": round(ratio, 2),
            "cpu_ratio": round(cpu_medians["night"] / cpu_medians["scan"], 2),
            "rows_per_second": round(rows / medians["night"]),
            "peak_gib": round(peak_gib, 2),
        }
    )
    print(
        f"{file_format}: land, validate, record {medians['night']:.1f} s ÷ bare scan {medians['scan']:.2f} s = "
        f"{ratio:.2f} (target ≤ {TARGETS[file_format]:g}); peak {peak_gib:.2f} GiB (target ≤ {TARGET_GIB:g})",
        flush=True,
    )


def run(arguments: list[str], env: dict[str, str], log: Path) -> tuple[dict, Usage]:
    """One process of ``ingest_steps``: what it said, and what it used."""
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.ingest_steps", *arguments]
    usage = measure(command, env=env, cwd=PROJECT, log=log)
    return json.loads(log.read_text(encoding="utf-8").splitlines()[-1]), usage


def check(found: list[int], rows: int, changes: Changes) -> None:
    """A night that is fast because it does not see the changes is no night.

    Raises:
        RuntimeError: it has counted something else than the generator changed.
    """
    expected = [rows, changes.new, changes.changed, changes.deleted]
    if found != expected:
        message = f"expected rows, new, changed, deleted {expected}, found {found}"
        raise RuntimeError(message)


if __name__ == "__main__":
    main()
