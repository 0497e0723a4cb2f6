"""The benchmarks measure what they say: whole process trees, and the same models with and without dbt."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flows.config import load
from schemas.registry import ENTITIES
from tests.bench.mart_costs import growth_exponent, mart_costs, table
from tests.bench.plain_sql import run, statements
from tests.bench.same_questions import SAME_QUESTIONS, reference_parents, same_questions

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


def test_plain_sql_builds_what_the_manifest_describes_and_times_each_model(tmp_path):
    def model(name: str, sql: str, materialized: str, *parents: str) -> dict:
        return {
            "name": name,
            "resource_type": "model",
            "database": "candidate",
            "schema": "marts",
            "relation_name": f'"candidate"."marts"."{name}"',
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
    timings = run(statements(tmp_path / "manifest.json"), tmp_path, "1GB", 1)
    assert list(timings) == ["doubled", "total"]
    assert all(seconds >= 0 for took in timings.values() for seconds in took)
    with duckdb.connect(str(tmp_path / "candidate.duckdb")) as connection:
        assert connection.execute("select n from marts.total").fetchall() == [(12,)]
        kinds = connection.execute(
            "select table_name, table_type from information_schema.tables order by all"
        ).fetchall()
    assert kinds == [("doubled", "VIEW"), ("total", "BASE TABLE")]


def test_growth_is_the_exponent_between_the_smallest_size_and_the_largest():
    assert growth_exponent([0.1, 1], [0.2, 2.0]) == pytest.approx(1)
    assert growth_exponent([0.1, 1], [0.2, 20.0]) == pytest.approx(2)
    assert growth_exponent([0.25, 1, 4], [1.0, 9.0, 4.0]) == pytest.approx(0.5)  # × 16 in size, × 4 in time
    assert growth_exponent([1], [2.0]) is None
    assert growth_exponent([0.1, 1], [0.01, 0.4]) is None


def test_a_mart_costs_itself_and_everything_it_is_made_from_once():
    models = {
        "m.a": {"name": "a", "schema": "scratch", "depends_on": {"nodes": ["source.s"]}},
        "m.b": {"name": "b", "schema": "scratch", "depends_on": {"nodes": ["m.a"]}},
        "m.x": {"name": "mart_x", "schema": "marts", "depends_on": {"nodes": ["m.a", "m.b"]}},
        "m.y": {"name": "mart_y", "schema": "marts", "depends_on": {"nodes": ["m.a"]}},
    }
    small = {"a": (1.0, 2.0), "b": (1.0, 1.0), "mart_x": (0.1, 0.2), "mart_y": (0.3, 0.5)}
    large = {"a": (9.0, 20.0), "b": (9.0, 10.0), "mart_x": (1.0, 2.0), "mart_y": (3.0, 5.0)}
    [dearest, other] = mart_costs(models, [0.1, 1], [small, large])
    assert (dearest.name, dearest.wall, dearest.cpu, dearest.whole) == ("mart_y", (0.3, 3.0), (0.5, 5.0), (2.5, 25.0))
    assert (other.name, other.whole, other.exponent) == ("mart_x", (3.2, 32.0), pytest.approx(1))
    head, first, second = table([0.1, 1], [dearest, other])
    assert head.split() == "mart wall 0.1 M CPU 0.1 M whole 0.1 M wall 1 M CPU 1 M whole 1 M growth".split()
    assert first.split() == ["mart_y", "0.30", "0.50", "2.50", "3.00", "5.00", "25.00", "1.00"]
    assert len(second) == len(first) == len(head)


REFERENCE = """
-- @step load_deals [parquet]
CREATE TABLE raw_deals AS SELECT 1;
-- @step load_deals [csv]
CREATE TABLE raw_deals AS SELECT 2;
-- not read by the next: int_other
-- @step int_deal
CREATE TABLE int_deal AS SELECT * FROM raw_deals; -- int_other
-- @step int_other
CREATE TABLE int_other AS SELECT 1;
-- @step mart_opportunity
CREATE TABLE mart_opportunity AS SELECT * FROM int_deal JOIN raw_deals USING (n);
"""


def test_a_question_costs_its_marts_and_all_they_are_made_from_on_either_side(tmp_path, monkeypatch):
    (tmp_path / "reference.sql").write_text(REFERENCE)
    parents = reference_parents(tmp_path / "reference.sql")
    assert parents == {
        "load_deals": set(),
        "int_deal": {"load_deals"},
        "int_other": set(),
        "mart_opportunity": {"int_deal", "load_deals"},
    }
    questions = {"deals": (["fct_opportunity"], ["mart_opportunity"])}
    monkeypatch.setattr("tests.bench.same_questions.SAME_QUESTIONS", questions)
    models = {
        "m.a": {"name": "a", "depends_on": {"nodes": []}},
        "m.f": {"name": "fct_opportunity", "depends_on": {"nodes": ["m.a"]}},
        "m.z": {"name": "mart_else", "depends_on": {"nodes": ["m.a"]}},
    }
    ours = {"a": (0.0, 2.0), "fct_opportunity": (0.0, 1.0), "mart_else": (0.0, 4.0)}
    theirs = {"load_deals": (0.0, 1.0), "int_deal": (0.0, 0.5), "int_other": (0.0, 0.5), "mart_opportunity": (0.0, 0.5)}
    lines = list(same_questions(models, ours, parents, theirs))
    assert lines[1].split() == ["deals", "3.00", "2.00", "1.50"]
    assert lines[2].split() == ["these", "together", "3.00", "2.00", "1.50"]
    assert lines[3].split() == ["everything", "7.00", "2.50", "2.80"]


def test_the_questions_are_of_marts_that_exist():
    made = {model.stem for model in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    assert {mart for ours, _ in SAME_QUESTIONS.values() for mart in ours} <= made


def test_the_benchmarks_configuration_is_valid():
    config = load(PROJECT / "tests" / "bench" / "config", {"PLANLOOP_BENCH": "/data"})
    assert {source.entity for source in config.sources.sources.values()} <= set(ENTITIES)
    assert all(path.startswith("/data/") for source in config.sources.sources.values() for path in source.path)
