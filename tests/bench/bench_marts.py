"""What the marts cost on a large company: beside plain SQL, beside the reference script, and as the company grows.

    python -m tests.bench.bench_marts --generator ../shared/bench/generate.py [--scales 0.1 1] [--repetitions 3]

The generator writes scale × 1,000,000 opportunities with six history rows each; ``tests/bench/config`` maps its files.
At each scale one night runs from them, start to end, and its memory is sampled over the whole process tree. Then, in
turn and each in a fresh process with the same memory limit and threads:

- ``dbt run`` builds the marts again from that night's inputs;
- the compiled SQL of the same models does so without dbt, one statement after the other, each timed;
- the reference script (``run_reference.py`` and ``reference.sql`` beside the generator) builds its own marts from the
  same files, loading included.

Medians are compared: wall seconds of dbt ÷ plain SQL, and CPU seconds of all our marts ÷ the reference's, since those
do not know what else the machine is doing. Each mart stands with its own seconds, with those of everything it is made
from, and with the exponent by which its CPU seconds grow from the smallest scale to the largest. Where the reference
answers the same question, both stand side by side as well (``same_questions.py``); the total holds all the rest too.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.config import load
from flows.operate.environment import prepare
from flows.workspace import Workspace
from tests.bench.bench_night import PROJECT, dbt_command, dbt_environment, interleave, rounded, say
from tests.bench.build_copy import BuildCopy
from tests.bench.mart_costs import Timings, growth_exponent, mart_costs, table
from tests.bench.measure import Usage, measure
from tests.bench.plain_sql import models_of, statements
from tests.bench.same_questions import reference_parents, same_questions

CONFIG = Path(__file__).parent / "config"
AS_OF = "2024-12-31"
"""The last day of the generated company."""
TARGET_RATIO, TARGET_NIGHT_GIB, TARGET_BUILD_GIB, TARGET_EXPONENT = 1.3, 6, 4, 1.1
DBT, PLAIN, REFERENCE = "dbt run", "plain SQL", "reference.sql"


@dataclass(frozen=True)
class Measured:
    """One size of the company.

    Attributes:
        scale: millions of opportunities.
        wall: median wall seconds by way of building.
        cpu: median CPU seconds by way of building.
        peak_gib: most memory that a build took, by way of building.
        timings: median wall and CPU seconds of each model in plain SQL.
        steps: the same of each step of the reference script.
    """

    scale: float
    wall: dict[str, float]
    cpu: dict[str, float]
    peak_gib: dict[str, float]
    timings: Timings
    steps: Timings


def main() -> None:
    """Measure each scale, print each, then the marts beside each other."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--generator", type=Path, required=True, help="generate.py of the benchmark data")
    options.add_argument("--scales", type=float, nargs="+", default=[0.1, 1.0], help="millions of opportunities")
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument(
        "--keep", type=Path, help="work here and keep it; data and inputs of a night that are there are used again"
    )
    chosen = options.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="planloop-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        scales = sorted(chosen.scales)
        found = [build(folder.resolve(), chosen.generator.resolve(), scale, chosen.repetitions) for scale in scales]
        compare(
            found,
            folder.resolve() / f"build-{scales[-1]:g}" / "dbt" / "manifest.json",
            chosen.generator.resolve().with_name("reference.sql"),
        )
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)


def build(folder: Path, generator: Path, scale: float, repetitions: int) -> Measured:
    """The inputs of one night, then the marts in turn by dbt, by plain SQL, and those of the reference."""
    data, log = folder / f"data-{scale:g}", folder / "output.log"
    if not (data / "rows.json").exists():
        arguments = ["--scale", str(scale), "--out", str(data), "--formats", "parquet"]
        subprocess.run([sys.executable, str(generator), *arguments], check=True, cwd=folder)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PLANLOOP_", "PREFECT_", "DBT_"))}
    env["PLANLOOP_BENCH"] = str(data)
    engine = load(CONFIG, env).settings.engine
    workspace = Workspace(folder / "workspace")
    prepare(env, workspace)
    copy = BuildCopy(workspace, folder / f"build-{scale:g}")
    if not copy.folder.exists():
        _night(copy, workspace, env, log, scale)
    dbt_env = dbt_environment(env, copy.folder, engine.memory_limit, engine.threads)
    plain, timings = folder / "marts.json", folder / "timings.json"
    each_model: list[Timings] = []
    each_step: list[Timings] = []

    def by_dbt() -> Usage:
        copy.clear_databases()
        usage = measure(dbt_command("run", copy.folder), env=dbt_env, cwd=PROJECT, log=log)
        plain.write_text(json.dumps(statements(copy.folder / "dbt" / "manifest.json")), encoding="utf-8")
        return usage

    def by_statements() -> Usage:
        copy.clear_databases()
        arguments = [str(plain), str(copy.folder), engine.memory_limit, str(engine.threads), str(timings)]
        usage = measure([sys.executable, "-m", "tests.bench.plain_sql", *arguments], env=dbt_env, cwd=PROJECT, log=log)
        each_model.append(json.loads(timings.read_text(encoding="utf-8")))
        return usage

    def by_reference() -> Usage:
        usage, steps = reference(generator.parent, data, engine.memory_limit, engine.threads, folder / "reference.log")
        each_step.append(steps)
        return usage

    measured = interleave({DBT: by_dbt, PLAIN: by_statements, REFERENCE: by_reference}, repetitions)
    result = Measured(
        scale,
        {way: statistics.median(usage.wall for usage in usages) for way, usages in measured.items()},
        {way: statistics.median(usage.cpu for usage in usages) for way, usages in measured.items()},
        {way: max(usage.peak_mib for usage in usages) / 1024 for way, usages in measured.items()},
        _medians(each_model[1:]),  # the first turn warms up
        _medians(each_step[1:]),
    )
    say({"bench": "marts", "scale": scale, "wall_medians": rounded(result.wall), "cpu_medians": rounded(result.cpu)})
    return result


def reference(folder: Path, data: Path, memory_limit: str, threads: int, log: Path) -> tuple[Usage, Timings]:
    """The reference script once, on the same files.

    Returns:
        What it used, and wall and CPU seconds of each of its steps.

    Raises:
        RuntimeError: a step failed; the script itself ends with 0 all the same.
    """
    log.unlink(missing_ok=True)
    options = {"src": data, "fmt": "parquet", "threads": threads, "mem": memory_limit, "sql": folder / "reference.sql"}
    words = [*(word for name, value in options.items() for word in (f"--{name}", str(value))), "--steps"]
    usage = measure([sys.executable, str(folder / "run_reference.py"), *words], env=os.environ, cwd=data, log=log)
    told = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    if told["status"] != "ok":
        raise RuntimeError(f"the reference script failed at {told['status']}")
    return usage, {name: (wall, cpu) for name, (wall, cpu) in told["steps"].items()}


def compare(found: Sequence[Measured], manifest: Path, script: Path) -> None:
    """Print the marts one by one, then the totals against their targets."""
    sizes = [measured.scale for measured in found]
    models = models_of(manifest)
    print("\nPlain SQL, median seconds: a mart alone (wall, CPU), and CPU with everything it is made from (whole)")
    for line in table(sizes, mart_costs(models, sizes, [measured.timings for measured in found])):
        print(line)
    parents = reference_parents(script)
    for measured in found:
        print(f"\n{measured.scale:g} M, the same questions, with everything the answers are made from")
        for line in same_questions(models, measured.timings, parents, measured.steps):
            print(line)
        wall, cpu, size = measured.wall, measured.cpu, f"{measured.scale:g} M"
        against_plain, against_reference = wall[DBT] / wall[PLAIN], cpu[PLAIN] / cpu[REFERENCE]
        peak = max(measured.peak_gib[way] for way in (DBT, PLAIN))
        print(
            f"\n{size}: {DBT} {wall[DBT]:.1f} s ÷ {PLAIN} {wall[PLAIN]:.1f} s = {against_plain:.2f} "
            f"(target ≤ {TARGET_RATIO})\n"
            f"{size}: {PLAIN} {cpu[PLAIN]:.1f} CPU-s ÷ {REFERENCE} {cpu[REFERENCE]:.1f} = {against_reference:.2f} "
            f"(target ≤ {TARGET_RATIO}); {wall[PLAIN]:.1f} s and {wall[REFERENCE]:.1f} s\n"
            f"{size}: most memory of a build {peak:.2f} GiB (target ≤ {TARGET_BUILD_GIB}); "
            f"{REFERENCE} {measured.peak_gib[REFERENCE]:.2f} GiB"
        )
    ours = growth_exponent(sizes, [sum(cpu for _, cpu in measured.timings.values()) for measured in found])
    theirs = growth_exponent(sizes, [measured.cpu[REFERENCE] for measured in found])
    if ours is not None and theirs is not None:
        print(
            f"\nCPU seconds grow from {sizes[0]:g} M to {sizes[-1]:g} M with the exponent {ours:.2f} "
            f"(target ≤ {TARGET_EXPONENT}); {REFERENCE} {theirs:.2f}"
        )


def _night(copy: BuildCopy, workspace: Workspace, env: dict[str, str], log: Path, scale: float) -> None:
    """One whole night, for its memory and for the inputs of its build."""
    shutil.rmtree(workspace.root, ignore_errors=True)
    options = ["--config", str(CONFIG), "--workspace", str(workspace.root)]
    command = [sys.executable, "-m", "flows.cli", *options, "refresh", "--as-of", AS_OF]
    night = measure(command, env=env, cwd=PROJECT, log=log, during=copy, ok=(0, 3))
    say({"process": "night", "scale": scale, **night.rounded()})
    peak = night.peak_mib / 1024
    print(f"{scale:g} M: whole night {night.wall:.0f} s, peak {peak:.2f} GiB (target ≤ {TARGET_NIGHT_GIB})")
    if not copy.is_taken:
        raise RuntimeError("the night ended before its inputs could be copied")


def _medians(runs: Sequence[Timings]) -> Timings:
    return {
        name: (statistics.median(run[name][0] for run in runs), statistics.median(run[name][1] for run in runs))
        for name in runs[0]
    }


if __name__ == "__main__":
    main()
