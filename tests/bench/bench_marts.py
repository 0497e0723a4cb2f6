"""What dbt adds to its own SQL on a large company, and the most memory a whole night takes.

    python -m tests.bench.bench_marts --generator ../shared/bench/generate.py [--scale 1] [--repetitions 3]

The generator writes scale × 1,000,000 opportunities with six history rows each; ``tests/bench/config`` maps its files.
One night runs from them, start to end, and its memory is sampled over the whole process tree. Then the marts are built
again from that night's inputs, in turn by ``dbt run`` and by the compiled SQL of the same models as one script in a
fresh process with the same memory limit and threads. Medians of wall seconds are compared; CPU seconds stand beside.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from flows.config import load
from flows.operate.environment import prepare
from flows.workspace import Workspace
from tests.bench.bench_night import PROJECT, dbt_command, dbt_environment, interleave, rounded, say
from tests.bench.build_copy import BuildCopy
from tests.bench.measure import Usage, measure
from tests.bench.plain_sql import script

CONFIG = Path(__file__).parent / "config"
AS_OF = "2024-12-31"
"""The last day of the generated company."""
TARGET_RATIO, TARGET_GIB = 1.3, 6


def main() -> None:
    """Generate, run the night, build the marts in both ways, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--generator", type=Path, required=True, help="generate.py of the benchmark data")
    options.add_argument("--scale", type=float, default=1.0, help="millions of opportunities")
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--keep", type=Path, help="work here and keep it, instead of in a temporary folder")
    chosen = options.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="planloop-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        compare(folder.resolve(), chosen.generator.resolve(), chosen.scale, chosen.repetitions)
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, generator: Path, scale: float, repetitions: int) -> None:
    """One night with its memory, then the marts in turn by dbt and by plain SQL."""
    data, workspace, log = folder / f"data-{scale:g}", Workspace(folder / "workspace"), folder / "output.log"
    if not (data / "rows.json").exists():
        arguments = ["--scale", str(scale), "--out", str(data), "--formats", "parquet"]
        subprocess.run([sys.executable, str(generator), *arguments], check=True, cwd=folder)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PLANLOOP_", "PREFECT_", "DBT_"))}
    env["PLANLOOP_BENCH"] = str(data)
    engine = load(CONFIG, env).settings.engine
    prepare(env, workspace)
    copy = BuildCopy(workspace, folder / "build")
    shutil.rmtree(workspace.root, ignore_errors=True)
    options = ["--config", str(CONFIG), "--workspace", str(workspace.root)]
    night = measure(
        [sys.executable, "-m", "flows.cli", *options, "refresh", "--as-of", AS_OF],
        env=env,
        cwd=PROJECT,
        log=log,
        during=copy,
        ok=(0, 3),
    )
    peak_gib = night.peak_mib / 1024
    say({"process": "night", "scale": scale, **night.rounded()})
    if not copy.is_taken:
        raise RuntimeError("the night ended before its inputs could be copied")
    dbt_env = dbt_environment(env, copy.folder, engine.memory_limit, engine.threads)
    plain = folder / "marts.sql"

    def by_dbt() -> Usage:
        copy.clear_databases()
        usage = measure(dbt_command("run", copy.folder), env=dbt_env, cwd=PROJECT, log=log)
        plain.write_text(script(copy.folder / "dbt" / "manifest.json"), encoding="utf-8")
        return usage

    def by_script() -> Usage:
        copy.clear_databases()
        arguments = [str(plain), str(copy.folder), engine.memory_limit, str(engine.threads)]
        return measure([sys.executable, "-m", "tests.bench.plain_sql", *arguments], env=dbt_env, cwd=PROJECT, log=log)

    measured = interleave({"dbt run": by_dbt, "plain SQL": by_script}, repetitions)
    wall = {name: statistics.median(usage.wall for usage in usages) for name, usages in measured.items()}
    cpu = {name: statistics.median(usage.cpu for usage in usages) for name, usages in measured.items()}
    ratio = wall["dbt run"] / wall["plain SQL"]
    say(
        {
            "bench": "marts",
            "scale": scale,
            "wall_medians": rounded(wall),
            "cpu_medians": rounded(cpu),
            "ratio": round(ratio, 3),
            "cpu_ratio": round(cpu["dbt run"] / cpu["plain SQL"], 3),
            "night_peak_gib": round(peak_gib, 2),
        }
    )
    print(
        f"dbt run {wall['dbt run']:.1f} s ÷ plain SQL {wall['plain SQL']:.1f} s = {ratio:.2f} "
        f"(target ≤ {TARGET_RATIO}); whole night {night.wall:.0f} s, peak {peak_gib:.2f} GiB (target ≤ {TARGET_GIB})"
    )


if __name__ == "__main__":
    main()
