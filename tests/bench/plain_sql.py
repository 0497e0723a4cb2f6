"""The marts as one plain SQL script: what dbt compiled, in the order of its graph, without dbt.

    python -m tests.bench.plain_sql SCRIPT BUILD MEMORY_LIMIT THREADS

runs a script in a fresh process with the settings of the project's profile.
"""

import json
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb


def script(manifest: Path) -> str:
    """All models of a compiled project as one script: views stay views, every other model becomes a table.

    Args:
        manifest: ``manifest.json`` of a finished ``dbt run``; its models carry their compiled SQL.
    """
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in models.items()}).static_order()
    chosen = [models[key] for key in order if key in models and models[key]["config"]["materialized"] != "ephemeral"]
    schemas = dict.fromkeys(f'"{node["database"]}"."{node["schema"]}"' for node in chosen)
    statements = [f"create schema if not exists {schema}" for schema in schemas]
    for node in chosen:
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        statements.append(f"create {kind} {node['relation_name']} as\n{node['compiled_code'].strip()}")
    return ";\n\n".join(statements) + ";\n"


def run(sql: str, build: Path, memory_limit: str, threads: int) -> None:
    """Run a script against a build folder whose databases are not there yet."""
    connection = duckdb.connect(str(build / "candidate.duckdb"), config={"storage_compatibility_version": "v1.2.0"})
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"set memory_limit = '{memory_limit}'; set threads = {threads}")
    connection.execute(f"set temp_directory = '{build / 'spill'}'")
    connection.execute(f"attach '{build / 'scratch.duckdb'}' as scratch")
    connection.execute(sql)
    connection.execute("checkpoint candidate; checkpoint scratch")
    connection.close()


if __name__ == "__main__":
    run(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
