"""The marts as plain SQL: what dbt compiled, in the order of its graph, without dbt.

    python -m tests.bench.plain_sql STATEMENTS BUILD MEMORY_LIMIT THREADS TIMINGS [PEAKS]

runs the statements in a fresh process with the settings of the project's profile, and writes down what each took; and
the most memory that the process held meanwhile, in MiB.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

Statement = tuple[str, str]
"""The model that a statement makes, and the statement."""


def statements(manifest: Path) -> list[Statement]:
    """All models of a compiled project in order: views stay views, every other model becomes a table.

    Args:
        manifest: ``manifest.json`` of a finished ``dbt run``; its models carry their compiled SQL.
    """
    models = models_of(manifest)
    order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in models.items()}).static_order()
    chosen = [models[key] for key in order if key in models and models[key]["config"]["materialized"] != "ephemeral"]
    schemas = dict.fromkeys(f'"{node["database"]}"."{node["schema"]}"' for node in chosen)
    made = [("", f"create schema if not exists {schema}") for schema in schemas]
    for node in chosen:
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        made.append((node["name"], f"create {kind} {node['relation_name']} as\n{node['compiled_code'].strip()}"))
    return made


def models_of(manifest: Path) -> dict[str, dict[str, Any]]:
    """The models of a project by their unique id."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    return {key: node for key, node in nodes.items() if node["resource_type"] == "model"}


def run(
    made: Sequence[Statement], build: Path, memory_limit: str, threads: int, peaks: dict[str, float] | None = None
) -> dict[str, tuple[float, float]]:
    """Run statements against a build folder, as a rule one whose databases are not there yet.

    Args:
        made: in order.
        build: the folder.
        memory_limit: of the engine.
        threads: of the engine.
        peaks: gets the most memory, in MiB, that the process held while each model was made; what the engine keeps from
            the models before it counts.

    Returns:
        Wall and CPU seconds of each model, all threads together.
    """
    connection = duckdb.connect(str(build / "candidate.duckdb"), config={"storage_compatibility_version": "v1.2.0"})
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"set memory_limit = '{memory_limit}'; set threads = {threads}")
    connection.execute(f"set temp_directory = '{build / 'spill'}'")
    connection.execute("set nested_loop_join_threshold = 100; set force_compression = 'bitpacking'")
    connection.execute(f"attach '{build / 'scratch.duckdb'}' as scratch (storage_version 'latest')")
    timings = {}
    for name, statement in made:
        _forget_peak()
        began = time.perf_counter(), _cpu()
        connection.execute(statement)
        timings[name] = (time.perf_counter() - began[0], _cpu() - began[1])
        if peaks is not None:
            peaks[name] = _peak_mib()
    connection.execute("checkpoint candidate; checkpoint scratch")
    connection.close()
    return {name: took for name, took in timings.items() if name}


def _forget_peak() -> None:
    """Let the kernel count the most memory of this process anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    most: dict[str, float] = {}
    took = run(
        json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")),
        Path(sys.argv[2]),
        sys.argv[3],
        int(sys.argv[4]),
        most,
    )
    Path(sys.argv[5]).write_text(json.dumps(took), encoding="utf-8")
    for path in sys.argv[6:]:
        Path(path).write_text(json.dumps(most), encoding="utf-8")
