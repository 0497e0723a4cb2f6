"""What the plan costs a night at 5,000 reps: the stage that allocates, the models that read it, the commands.

    python -m tests.bench.bench_plan_night --generator ../shared/bench/generate.py [--reps 500 5000]

The company (``plan_company.py``) has reps in teams and regions, 200 deals a rep over three years with their activities,
leads and money, targets of six metrics for every node and period in two versions, hand-set cells, tiers, a kicker, a
bonus, splits and draws. One night runs from its files, start to end, by its own log. Then, each in a fresh process:

- the stage ``plan`` again, on the facts of that night;
- all models in plain SQL, each timed, with the most memory the process held meanwhile; then those that read the plan
  once more, without any plan: what the same night would have built if nobody planned;
- one plain statement over the files that attains the same cells (``plan_steps.py``);
- the commands with which people look at a plan.

Stated are: CPU seconds of the plan ÷ those of the night without it; the models' ÷ that statement's; and the exponent by
which both grow from the fewest reps to the most, with as many deals a rep.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.operate.environment import prepare
from flows.warehouse.inputs import write_empty_plan
from flows.warehouse.pay_inputs import write_pay_inputs
from flows.workspace import Workspace
from tests.bench.bench_marts import AS_OF, CONFIG
from tests.bench.bench_night import PROJECT, dbt_command, dbt_environment, say
from tests.bench.build_copy import BuildCopy
from tests.bench.mart_costs import Timings, ancestors, growth_exponent
from tests.bench.measure import Usage, measure
from tests.bench.plain_sql import models_of, statements
from tests.bench.plan_company import YEAR, scale_of, write_config, write_data

TARGET_SHARE, TARGET_EXPONENT, TARGET_NIGHT_GIB, TARGET_COMMAND_SECONDS = 0.5, 1.1, 6, 10
PLAN_INPUTS = ("plan_versions", "plan_targets", "incentive_rules", "credit_splits", "draws", "leaderboards")
MEMORY, THREADS = "4GB", 2
COMMANDS = {
    "plan allocate": ("plan", "allocate", str(YEAR)),
    "plan check": ("plan", "check", str(YEAR)),
    "plan show, company": ("plan", "show", str(YEAR)),
    "plan show, region": ("plan", "show", str(YEAR), "--metric", "bookings", "--node", "region:R01"),
    "plan explain": ("plan", "explain", "rep:u00042", "Q4", "--year", str(YEAR)),
    "plan diff": ("plan", "diff", "2025-annual", "2025-second-half"),
    "plan pay": ("plan", "pay", "--person", "u00042"),
    "plan export": ("plan", "export", str(YEAR), "{folder}/plan.xlsx"),
    "plan import": ("plan", "import", "{folder}/plan.xlsx", "--json"),
}


def main() -> None:
    """Measure each size, print each, then how it grows."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--generator", type=Path, required=True, help="generate.py of the benchmark data")
    options.add_argument("--reps", type=int, nargs="+", default=[500, 5_000])
    options.add_argument("--keep", type=Path, help="work here and keep it; a night that is there is used again")
    chosen = options.parse_args()
    folder = (chosen.keep or Path(tempfile.mkdtemp(prefix="planloop-bench-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        sizes = sorted(chosen.reps)
        found = [measured(folder / str(reps), chosen.generator.resolve(), reps) for reps in sizes]
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)
    for what in found[-1]:
        exponent = growth_exponent(sizes, [one[what] for one in found])
        if exponent is not None:
            print(f"{what}: CPU seconds grow with the exponent {exponent:.2f} (target ≤ {TARGET_EXPONENT})")


def measured(folder: Path, generator: Path, reps: int) -> dict[str, float]:
    """One size of the company.

    Returns:
        CPU seconds of the plan's parts.
    """
    folder.mkdir(exist_ok=True)
    env, root = _night(folder, generator, reps)
    data, copy, log = folder / "data", BuildCopy(Workspace(root), folder / "again" / "build"), folder / "output.log"
    models, with_plan, peaks, without = _models(copy, env, log)
    stage = _step(env, log, "stage", folder / "config", folder / "again")
    bare = _step(env, log, "bare", data, copy.folder / "inputs" / "plan_target.parquet", folder / "attained.parquet")
    stages = json.loads((folder / "stages.json").read_text(encoding="utf-8"))
    reading = sum(with_plan[name][1] for name in without)
    added = reading - sum(cpu for _, cpu in without.values())
    rest = stages["whole"] - stage.cpu - added
    print(f"\n{reps:,} reps: {_rows(folder / 'attained.parquet'):,} cells of two versions")
    for line in _table(with_plan, without, peaks):
        print(line)
    print(
        f"{reps:,} reps: night {stages['whole']:.0f} CPU-s, peak {stages['peak_gib']:.2f} GiB (target ≤ "
        f"{TARGET_NIGHT_GIB}), of which stage plan {stages['plan']:.1f}\n"
        f"{reps:,} reps: stage plan {stage.cpu:.1f} CPU-s, {stage.wall:.1f} s, {stage.peak_mib / 1024:.2f} GiB\n"
        f"{reps:,} reps: models that read the plan {reading:.1f} CPU-s, of which {added:.1f} for the plan; "
        f"÷ plain statement {bare.cpu:.1f} = {reading / bare.cpu:.2f}\n"
        f"{reps:,} reps: plan {stage.cpu + added:.1f} CPU-s ÷ the rest of the night {rest:.1f} = "
        f"{(stage.cpu + added) / rest:.2f} (target ≤ {TARGET_SHARE})"
    )
    for name, usage in _commands(folder, root, env, log).items():
        slow = "" if usage.wall <= TARGET_COMMAND_SECONDS else f"  (target ≤ {TARGET_COMMAND_SECONDS} s)"
        print(f"{name:<20}{usage.wall:>7.1f} s{usage.cpu:>7.1f} CPU-s{usage.peak_mib:>7.0f} MiB{slow}")
    return {"stage plan": stage.cpu, "models that read the plan": reading, "added by the plan": added}


def _night(folder: Path, generator: Path, reps: int) -> tuple[dict[str, str], Path]:
    """Data, configuration and one whole night, whose build folder is copied while it runs."""
    data, config, root, generated = folder / "data", folder / "config", folder / "workspace", folder / "generated"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PLANLOOP_", "PREFECT_", "DBT_"))}
    env["PLANLOOP_BENCH"] = str(data)
    prepare(env, Workspace(root))
    if (folder / "stages.json").exists():
        return env, root
    if not (generated / "rows.json").exists():
        arguments = ["--scale", str(scale_of(reps)), "--out", str(generated), "--formats", "parquet"]
        subprocess.run([sys.executable, str(generator), *arguments], check=True, cwd=folder)
    shutil.rmtree(data, ignore_errors=True)
    write_data(generated, data, reps)
    write_config(CONFIG, config, data, reps)
    shutil.rmtree(root, ignore_errors=True)
    copy = BuildCopy(Workspace(root), folder / "again" / "build")
    command = [*_planloop(folder, root), "refresh", "--as-of", AS_OF]
    night = measure(command, env=env, cwd=PROJECT, log=folder / "output.log", during=copy, ok=(0, 3))
    say({"process": "night", "reps": reps, **night.rounded()})
    if not copy.is_taken:
        raise RuntimeError("the night ended before its inputs could be copied")
    stages = {"whole": night.cpu, "peak_gib": night.peak_mib / 1024}
    for line in (root / "logs" / f"{AS_OF}.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "finished":
            stages[event["stage"]] = event["fields"]["cpu_seconds"]
    (folder / "stages.json").write_text(json.dumps(stages), encoding="utf-8")
    return env, root


def _models(copy: BuildCopy, env: Mapping[str, str], log: Path) -> tuple[Any, Timings, Mapping[str, float], Timings]:
    """All models, with seconds and memory of each; then those that read the plan, without one."""
    dbt_env = dbt_environment(dict(env), copy.folder, MEMORY, THREADS)
    copy.clear_databases()
    measure(dbt_command("compile", copy.folder), env=dbt_env, cwd=PROJECT, log=log)
    models = models_of(copy.folder / "dbt" / "manifest.json")
    inputs = {key for key, node in models.items() if node["name"].removeprefix("stg_night__") in PLAN_INPUTS}
    reading = {node["name"] for key, node in models.items() if inputs & ancestors(key, models)}
    made = statements(copy.folder / "dbt" / "manifest.json")
    copy.clear_databases()
    with_plan = _plain(copy, dbt_env, log, made)
    workspace, kept = Workspace(copy.folder.parent), copy.folder.parent / "inputs"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(copy.folder / "inputs", kept)
    for path in (copy.folder / "inputs").glob("*.parquet"):
        path.unlink()  # a hard link: written over, it would change what it was copied from
        shutil.copyfile(kept / path.name, path)
    write_empty_plan(workspace)
    write_pay_inputs(workspace, (), (), pl.Series([AS_OF]).str.to_date()[0])
    again = [
        (name, text.replace("create table", "create or replace table", 1)) for name, text in made if name in reading
    ]
    without = _plain(copy, dbt_env, log, again)
    for path in kept.glob("*.parquet"):
        shutil.copyfile(path, copy.folder / "inputs" / path.name)
    tables = {name: took for name, took in without[0].items() if with_plan[0][name][1] > 0}
    return models, with_plan[0], with_plan[1], tables


def _plain(
    copy: BuildCopy, env: Mapping[str, str], log: Path, made: list[tuple[str, str]]
) -> tuple[Timings, Mapping[str, float]]:
    folder = copy.folder.parent
    plain, timings, peaks = folder / "marts.json", folder / "timings.json", folder / "peaks.json"
    plain.write_text(json.dumps(made), encoding="utf-8")
    arguments = [str(plain), str(copy.folder), MEMORY, str(THREADS), str(timings), str(peaks)]
    measure([sys.executable, "-m", "tests.bench.plain_sql", *arguments], env=env, cwd=PROJECT, log=log)
    return json.loads(timings.read_text(encoding="utf-8")), json.loads(peaks.read_text(encoding="utf-8"))


def _step(env: Mapping[str, str], log: Path, *arguments: object) -> Usage:
    words = [sys.executable, "-m", "tests.bench.plan_steps", *map(str, arguments)]
    return measure(words, env=env, cwd=PROJECT, log=log)


def _planloop(folder: Path, root: Path) -> list[str]:
    return [sys.executable, "-m", "flows.cli", "--config", str(folder / "config"), "--workspace", str(root)]


def _commands(folder: Path, root: Path, env: Mapping[str, str], log: Path) -> dict[str, Usage]:
    """What a leader waits for; a plan that fails its check ends with 1."""
    found = {}
    for name, words in COMMANDS.items():
        command = [*_planloop(folder, root), *(word.format(folder=folder) for word in words)]
        log.unlink(missing_ok=True)
        found[name] = measure(command, env=env, cwd=PROJECT, log=log, ok=(0, 1) if name == "plan check" else (0,))
    told = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    if told["differences"]:
        raise RuntimeError(f"the workbook does not hold the same plan: {told['differences'][:3]}")
    return found


def _rows(path: Path) -> int:
    found = duckdb.execute(f"select count(*) from '{path}'").fetchone()
    return int(found[0]) if found else 0


def _table(with_plan: Timings, without: Timings, peaks: Mapping[str, float]) -> list[str]:
    """The models that read the plan, the dearest first."""
    lines = [f"{'model':<32}{'wall':>8}{'CPU':>8}{'no plan':>9}{'GiB':>7}"]
    for name in sorted(without, key=lambda name: -with_plan[name][1]):
        wall, cpu = with_plan[name]
        if cpu >= 0.05:
            lines.append(f"{name:<32}{wall:>8.2f}{cpu:>8.2f}{without[name][1]:>9.2f}{peaks[name] / 1024:>7.2f}")
    return lines


if __name__ == "__main__":
    main()
