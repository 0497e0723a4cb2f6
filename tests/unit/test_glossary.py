"""The glossary is the single source: what it says of marts and tests is there, and no figure goes undefined."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.errors import ConfigError
from flows.warehouse.glossary import DOC_BLOCKS, Domain, load_domains, load_glossary, rendered, write_doc_blocks
from tests.dbt_fixture import PROJECT
from tests.mart_contracts import properties

ROOT = PROJECT.parent
NUMERIC = ("integer", "bigint", "double", "decimal", "float", "hugeint", "smallint", "tinyint", "numeric", "real")
ENTRY = {
    "key": "win_rate",
    "name": {"en": "Win rate", "zh": "赢单率"},
    "formula": {"en": "won ÷ closed", "zh": "赢单 ÷ 关闭"},
    "unit": "share",
    "grain": {"en": "node", "zh": "节点"},
    "null_rule": {"en": "null when nothing closed", "zh": "没有关闭时为空"},
    "proven_by": ["t"],
    "marts": ["mart_x.win_rate"],
}


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, Any]]:
    """Every column of every mart as its contract writes it, by ``mart.column``."""
    return {
        f"{model['name']}.{column['name']}": column
        for path in sorted(PROJECT.glob("models/marts/**/*.yml"))
        for model in properties(path).get("models", [])
        for column in model["columns"]
    }


def dbt_tests() -> set[str]:
    """The names of dbt's unit tests and of its tests written in SQL."""
    unit_tests = {
        test["name"] for path in PROJECT.glob("models/**/*.yml") for test in properties(path).get("unit_tests", [])
    }
    return unit_tests | {path.stem for path in PROJECT.glob("tests/**/*.sql")}


def pytest_names(path: Path) -> set[str]:
    """The names of the tests that a file defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def unproven(domains: dict[str, Domain], dbt_tests: set[str], root: Path) -> Iterator[str]:
    """Proofs that are not there: neither a test of dbt nor one of pytest."""
    for name, domain in domains.items():
        for metric in domain.metrics:
            for proof in metric.proven_by:
                path, separator, test = proof.partition("::")
                found = proof in dbt_tests
                if separator:
                    found = (root / path).is_file() and test in pytest_names(root / path)
                if not found:
                    yield f"{name}.yml: {metric.key}: {proof}"


def accepted(column: dict[str, Any]) -> set[str]:
    """The values that a column may have, where a test states them."""
    return {
        value
        for test in column.get("data_tests", [])
        if isinstance(test, dict) and "accepted_values" in test
        for value in test["accepted_values"]["arguments"]["values"]
    }


def misplaced(domains: dict[str, Domain], columns: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Places of the glossary that no contract has, or whose contract does not refer back."""
    for name, domain in domains.items():
        for metric in domain.metrics:
            for place in metric.marts:
                column, separator, value = place.partition("=")
                if column not in columns:
                    yield f"{name}.yml: {metric.key}: no mart has {column}"
                elif separator and value not in accepted(columns[column]):
                    yield f"{name}.yml: {metric.key}: {column} does not accept {value}"
                elif not separator and f"doc('metric_{metric.key}')" not in columns[column]["description"]:
                    yield f"{name}.yml: {metric.key}: {column} is not described by doc('metric_{metric.key}')"
        for plain in domain.plain:
            for pattern in plain.columns:
                if not any(fnmatch(column, pattern) for column in columns):
                    yield f"{name}.yml: plain: no mart has {pattern}"


def undefined(domains: dict[str, Domain], columns: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Figures of marts that are neither a metric's nor argued to be none, and those that are both."""
    metrics = {place for domain in domains.values() for metric in domain.metrics for place in metric.marts}
    keys = {metric.key for domain in domains.values() for metric in domain.metrics}
    plain = [pattern for domain in domains.values() for entry in domain.plain for pattern in entry.columns]
    for place, column in columns.items():
        argued = any(fnmatch(place, pattern) for pattern in plain)
        is_figure = column["data_type"].startswith(NUMERIC)
        described = re.findall(r"doc\('metric_(\w+)'\)", column["description"])
        if described and place not in metrics:
            yield f"{place} is described as {described[0]}, which does not list it"
        if is_figure and place.partition(".")[2] in keys and not argued and place not in metrics:
            yield f"{place} has the name of a metric and is not listed by it"
        if is_figure and not argued and place not in metrics:
            yield f"{place} has no definition: add it to a metric's `marts`, or to `plain` with a reason"
        if place in metrics and place in plain:
            yield f"{place} is both a metric and argued to be none"


def written(folder: Path, **files: dict[str, Any]) -> Path:
    """A folder of glossary files."""
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def test_doc_blocks_are_generated_from_the_glossary():
    files = {path.name: path.read_text(encoding="utf-8") for path in DOC_BLOCKS.glob("*")}
    assert files == rendered(), "run: python -m flows.warehouse.glossary"


def test_every_metric_is_proven_by_tests_that_exist():
    assert list(unproven(load_domains(), dbt_tests(), ROOT)) == []


def test_every_metric_stands_where_the_glossary_says(columns):
    assert list(misplaced(load_domains(), columns)) == []


def test_every_figure_of_a_mart_is_defined_or_argued_to_need_no_definition(columns):
    assert list(undefined(load_domains(), columns)) == []


def test_the_retrospective_shows_metrics_of_the_glossary(columns):
    assert accepted(columns["mart_retrospective.metric"]) <= {metric.key for metric in load_glossary()}


def test_a_proof_that_is_not_there_is_found(tmp_path):
    (tmp_path / "test_a.py").write_text("def test_b(): ...\n", encoding="utf-8")
    proofs = ["known", "unknown", "test_a.py::test_b", "test_a.py::test_c", "test_z.py::test_b"]
    domains = {"d": Domain.model_validate({"metrics": [ENTRY | {"proven_by": proofs}]})}
    assert list(unproven(domains, {"known"}, tmp_path)) == [
        "d.yml: win_rate: unknown",
        "d.yml: win_rate: test_a.py::test_c",
        "d.yml: win_rate: test_z.py::test_b",
    ]


def test_a_place_that_is_not_there_is_found():
    places = ["mart_x.win_rate", "mart_x.gone", "mart_x.metric=win_rate", "mart_x.metric=gone", "mart_x.other"]
    plain = [{"why": "order", "columns": ["*.level", "*.rank"]}]
    domains = {"d": Domain.model_validate({"metrics": [ENTRY | {"marts": places}], "plain": plain})}
    values = {"accepted_values": {"arguments": {"values": ["win_rate"]}}}
    columns = {
        "mart_x.win_rate": {"description": "{{ doc('metric_win_rate') }}"},
        "mart_x.metric": {"description": "Which.", "data_tests": ["unique", values]},
        "mart_x.other": {"description": "Another."},
        "mart_y.level": {"description": "Level."},
    }
    assert list(misplaced(domains, columns)) == [
        "d.yml: win_rate: no mart has mart_x.gone",
        "d.yml: win_rate: mart_x.metric does not accept gone",
        "d.yml: win_rate: mart_x.other is not described by doc('metric_win_rate')",
        "d.yml: plain: no mart has *.rank",
    ]


def test_a_figure_without_a_definition_is_found():
    plain = [{"why": "order", "columns": ["*.level", "mart_x.win_rate"]}]
    domains = {"d": Domain.model_validate({"metrics": [ENTRY], "plain": plain})}
    defined = "{{ doc('metric_win_rate') }}"
    columns = {
        "mart_x.win_rate": {"data_type": "double", "description": defined},
        "mart_x.level": {"data_type": "integer", "description": "Level."},
        "mart_x.amount": {"data_type": "decimal(18,2)", "description": "Amount."},
        "mart_x.label": {"data_type": "varchar", "description": "Label."},
        "mart_y.win_rate": {"data_type": "varchar", "description": "In words."},
        "mart_y.level": {"data_type": "integer", "description": "Level."},
        "mart_w.win_rate": {"data_type": "double", "description": "Another one."},
        "mart_z.rate": {"data_type": "varchar", "description": defined},
    }
    found = list(undefined(domains, columns))
    assert [text.partition(" ")[0] for text in found] == [
        "mart_x.win_rate",
        "mart_x.amount",
        "mart_w.win_rate",
        "mart_w.win_rate",
        "mart_z.rate",
    ]


def test_a_metric_defined_twice_or_by_halves_is_refused_with_its_file(tmp_path):
    halves = {key: value for key, value in ENTRY.items() if key != "null_rule"} | {"key": "b", "unit": "furlongs"}
    only_english = ENTRY | {"key": "c", "name": {"en": "C"}}
    with pytest.raises(ConfigError) as refused:
        load_glossary(
            written(
                tmp_path,
                money={"metrics": [ENTRY]},
                plan={"metrics": [ENTRY]},
                rhythm={"metrics": [halves, only_english]},
            )
        )
    twice, *others = refused.value.faults
    assert twice == f"{tmp_path / 'plan.yml'}: win_rate is defined in money.yml already; a metric has one definition"
    assert [re.sub(r"^.*/rhythm.yml:\d+: ", "", fault).partition(":")[0] for fault in others] == [
        "metrics.0.unit",
        "metrics.0.null_rule",
        "metrics.1.name.zh",
    ]


def test_the_files_of_doc_blocks_follow_the_domains(tmp_path):
    source, target = tmp_path / "glossary", tmp_path / "docs"
    source.mkdir()
    rhythm = {"metrics": [ENTRY | {"key": "won"}]}
    written(source, money={"metrics": [ENTRY]}, rhythm=rhythm, plain={"plain": [{"why": "order", "columns": ["*.no"]}]})
    assert write_doc_blocks(source, target) == ["money.md", "rhythm.md"]
    assert write_doc_blocks(source, target) == []
    text = (target / "money.md").read_text(encoding="utf-8")
    assert "{% docs metric_win_rate %}\nWin rate · 赢单率: won ÷ closed. Unit: share." in text
    assert "赢单 ÷ 关闭。" in text
    (source / "rhythm.yml").unlink()
    assert write_doc_blocks(source, target) == ["rhythm.md"]
    assert [path.name for path in target.iterdir()] == ["money.md"]
