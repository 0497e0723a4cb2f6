"""What planloop adds to the tools it stands on: CPU of a night ÷ CPU of those tools doing their bare minimum.

    python -m tests.bench.bench_night [--scale 1] [--repetitions 3]

The night is `planloop refresh` on the demo company, repeated on the same date. The bare parts are `dbt build` of the
same project on the same inputs (models and data tests, as in the night), a Prefect flow of three empty tasks without a
server, and the import of great_expectations: each a process of its own, counted with all its descendants. Repetitions
are interleaved, so that a machine that slows down slows all of them; medians are compared. Everything is warm: dbt has
parsed the project and Prefect has made its database before anything is counted.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from flows.operate.environment import prepare
from flows.workspace import Workspace
from tests.bench.build_copy import BuildCopy
from tests.bench.measure import Usage, measure

PROJECT = Path(__file__).parents[2]
TARGET = 1.5
PARTS = ("dbt build", "bare flow", "import great_expectations")


def main() -> None:
    """Measure and print one JSON line a process, then the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--scale", type=float, default=1.0, help="size of the demo company")
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--keep", type=Path, help="work here and keep it, instead of in a temporary folder")
    chosen = options.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="planloop-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        compare(folder.resolve(), chosen.scale, chosen.repetitions)
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, scale: float, repetitions: int) -> None:
    """Make the demo company, warm everything up, measure in turn, print."""
    workspace = Workspace(folder / "workspace")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PLANLOOP_", "PREFECT_", "DBT_"))}
    prepare(env, workspace)
    log = folder / "output.log"
    planloop = [sys.executable, "-m", "flows.cli", "--workspace", str(workspace.root)]
    measure([*planloop, "demo", "--scale", str(scale)], env=env, cwd=PROJECT, log=log)
    as_of = json.loads((workspace.published / "manifest.json").read_text(encoding="utf-8"))["as_of_date"]
    copy = BuildCopy(workspace, folder / "build")
    # Its dirty rows are planted: 3 says that the night was published although many were set aside.
    refresh = [*planloop, "refresh", "--as-of", as_of]
    measure(refresh, env=env, cwd=PROJECT, log=log, during=copy, ok=(0, 3))
    if not copy.is_taken:
        raise RuntimeError("the night ended before its inputs could be copied")

    def night() -> Usage:
        return measure(refresh, env=env, cwd=PROJECT, log=log, ok=(0, 3))

    def dbt_build() -> Usage:
        copy.clear_databases()
        return measure(dbt_command("build", copy.folder), env=dbt_environment(env, copy.folder), cwd=PROJECT, log=log)

    def bare_flow() -> Usage:
        return measure([sys.executable, "-m", "tests.bench.bare_flow"], env=env, cwd=PROJECT, log=log)

    def import_gx() -> Usage:
        return measure([sys.executable, "-c", "import great_expectations"], env=env, cwd=PROJECT, log=log)

    measured = interleave(
        {"refresh": night, "dbt build": dbt_build, "bare flow": bare_flow, "import great_expectations": import_gx},
        repetitions,
    )
    cpu = {name: statistics.median(usage.cpu for usage in usages) for name, usages in measured.items()}
    bare = sum(cpu[name] for name in PARTS)
    ratio = cpu["refresh"] / bare
    say(
        {
            "bench": "night",
            "scale": scale,
            "cpu_medians": rounded(cpu),
            "bare_cpu": round(bare, 2),
            "ratio": round(ratio, 3),
        }
    )
    print(
        f"planloop refresh {cpu['refresh']:.1f} CPU-s ÷ bare parts {bare:.1f} CPU-s = {ratio:.2f} (target ≤ {TARGET})"
    )


def interleave(commands: dict[str, Callable[[], Usage]], repetitions: int) -> dict[str, list[Usage]]:
    """Measure each command in turn, after one turn that only warms up."""
    measured: dict[str, list[Usage]] = {name: [] for name in commands}
    for repetition in range(repetitions + 1):
        for name, command in commands.items():
            usage = command()
            if repetition:
                measured[name].append(usage)
                say({"process": name, "repetition": repetition, **usage.rounded()})
    return measured


def dbt_command(command: str, build: Path) -> list[str]:
    """The command line of dbt itself, on a build folder, as the night selects: no unit tests."""
    project = str(PROJECT / "dbt_project")
    places = ["--project-dir", project, "--profiles-dir", project]
    outputs = ["--target-path", str(build / "dbt"), "--log-path", str(build / "dbt"), "--log-level-file", "none"]
    without = ["--exclude-resource-type", "unit_test"] if command == "build" else []
    return [str(Path(sys.executable).parent / "dbt"), command, *places, *outputs, "--quiet", *without]


def dbt_environment(env: dict[str, str], build: Path, memory_limit: str = "4GB", threads: int = 2) -> dict[str, str]:
    """What the project's profile reads."""
    return {
        **env,
        "PLANLOOP_BUILD": str(build),
        "PLANLOOP_MEMORY_LIMIT": memory_limit,
        "PLANLOOP_THREADS": str(threads),
    }


def rounded(values: dict[str, float]) -> dict[str, float]:
    """For printing."""
    return {name: round(value, 2) for name, value in values.items()}


def say(record: dict) -> None:
    """One JSON line."""
    print(json.dumps(record, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
