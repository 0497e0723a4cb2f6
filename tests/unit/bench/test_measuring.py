"""The benchmarks measure what they say: whole process trees, and the same models with and without dbt."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb

from flows.config import load
from schemas.registry import ENTITIES
from tests.bench.plain_sql import script

PROJECT = Path(__file__).parents[3]
# In a process of its own: measuring waits for every orphan of the process that measures.
MEASURE = """
import json, os, sys
from pathlib import Path
from tests.bench.measure import measure
used = measure([sys.executable, "-c", sys.argv[1]], env=os.environ, cwd=Path("."), log=Path(sys.argv[2]), ok=(0, 3))
print(json.dumps(used.rounded()))
"""
BURN = "sum(range(20_000_000))"


def measured(code: str, log: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, code, str(log)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_work_of_a_child_that_outlives_its_parent_is_counted(tmp_path):
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
    alone = measured("pass", tmp_path / "log")
    assert measured(orphan, tmp_path / "log")["cpu"] > 2 * alone["cpu"]


def test_memory_is_that_of_parent_and_child_together(tmp_path):
    child = "x = bytearray(100 << 20); x[::4096] = x[::4096]; import time; time.sleep(1)"
    parent = f"import subprocess, sys; x = bytearray(100 << 20); subprocess.run([sys.executable, '-c', {child!r}])"
    assert measured(parent, tmp_path / "log")["peak_mib"] > 200


def test_an_exit_code_that_is_no_failure_is_told(tmp_path):
    assert measured("raise SystemExit(3)", tmp_path / "log")["exit_code"] == 3


def test_the_plain_script_builds_what_the_manifest_describes(tmp_path):
    def model(name: str, sql: str, materialized: str, *parents: str) -> dict:
        return {
            "resource_type": "model",
            "database": "memory",
            "schema": "marts",
            "relation_name": f'"memory"."marts"."{name}"',
            "compiled_code": sql,
            "config": {"materialized": materialized},
            "depends_on": {"nodes": list(parents)},
        }

    nodes = {
        "model.total": model("total", "select sum(n) as n from marts.doubled", "table", "model.doubled"),
        "model.doubled": model("doubled", "select 2 * n as n from range(4) as t(n)", "view"),
        "test.some": {"resource_type": "test"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    with duckdb.connect() as connection:
        connection.execute(script(tmp_path / "manifest.json"))
        assert connection.execute("select n from marts.total").fetchall() == [(12,)]
        kinds = connection.execute(
            "select table_name, table_type from information_schema.tables order by all"
        ).fetchall()
    assert kinds == [("doubled", "VIEW"), ("total", "BASE TABLE")]


def test_the_benchmarks_configuration_is_valid():
    config = load(PROJECT / "tests" / "bench" / "config", {"PLANLOOP_BENCH": "/data"})
    assert {source.entity for source in config.sources.sources.values()} <= set(ENTITIES)
    assert all(path.startswith("/data/") for source in config.sources.sources.values() for path in source.path)
