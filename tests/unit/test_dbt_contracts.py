"""What dbt itself does not check: layers, misspelt YAML keys, and that schemas and staging say the same."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.registry import ENTITIES
from tests.dbt_fixture import LOG_COLUMNS
from tests.dbt_parsed import PROJECT, parsed
from tests.mart_contracts import properties

RANK = {"staging": 0, "intermediate": 1, "marts": 2}
PREFIXES = {"staging": ("stg_",), "intermediate": ("int_",), "marts": ("fct_", "dim_", "mart_")}
KEYS = {
    "file": {"version", "models", "sources", "unit_tests", "exposures", "macros", "data_tests"},
    "model": {"name", "description", "config", "columns", "data_tests", "constraints", "docs", "meta"},
    "column": {"name", "description", "data_type", "constraints", "data_tests", "config", "quote", "meta"},
    "unit_test": {"name", "description", "model", "given", "expect", "overrides", "config"},
    "given": {"input", "rows", "format", "fixture"},
    "expect": {"rows", "format", "fixture"},
    "exposure": {"name", "label", "type", "maturity", "description", "owner", "depends_on", "url", "config", "meta"},
    "source": {"name", "description", "config", "tables", "schema", "database", "meta"},
    "test": {"name", "arguments", "config", "description"},
}
CLOCK = re.compile(
    r"current_timestamp|current_date|current_time\b|localtimestamp|\bnow\s*\(|\btoday\s*\(|run_started_at|\bgetdate\s*\(",
    re.I,
)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The parsed project."""
    return json.loads((parsed() / "manifest.json").read_text())


def models(manifest: dict[str, Any], layer: str | None = None) -> dict[str, dict[str, Any]]:
    """Models by unique id, of one layer or of all."""
    return {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and layer in (None, node["fqn"][1])
    }


def upward_edges(manifest: dict[str, Any]) -> list[str]:
    """References of a model to a later layer, and to sources from outside staging."""
    nodes = models(manifest)
    found = []
    for node in nodes.values():
        rank = RANK[node["fqn"][1]]
        for parent in node["depends_on"]["nodes"]:
            if parent.startswith("source.") and rank > 0:
                found.append(f"{node['name']} reads {parent}")
            if parent in nodes and RANK[nodes[parent]["fqn"][1]] > rank:
                found.append(f"{node['name']} reads {nodes[parent]['name']}")
    return found


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """All YAML files beside the models, parsed."""
    for path in sorted(PROJECT.glob("models/**/*.yml")):
        yield path.name, properties(path)


def entries(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Everything in a YAML file that has keys of its own: what kind it is, its place, and itself."""
    yield "file", "file", document
    for model in document.get("models", []):
        yield "model", model["name"], model
        yield from data_tests(model["name"], model)
        for column in model.get("columns", []):
            place = f"{model['name']}.{column['name']}"
            yield "column", place, column
            yield from data_tests(place, column)
    for test in document.get("unit_tests", []):
        yield "unit_test", test["name"], test
        yield "expect", f"{test['name']}.expect", test["expect"]
        for given in test["given"]:
            yield "given", f"{test['name']}.{given['input']}", given
    for kind in ("exposure", "source"):
        for entry in document.get(f"{kind}s", []):
            yield kind, entry["name"], entry


def data_tests(place: str, entry: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The data tests of a model or column that carry arguments."""
    for test in entry.get("data_tests", []):
        for title, body in test.items() if isinstance(test, dict) else ():
            yield "test", f"{place}.{title}", body or {}


def unknown_keys(name: str, document: dict[str, Any]) -> list[str]:
    """Keys that mean nothing to dbt, with their place; dbt would ignore them without a word."""
    return [
        f"{name}: {place}: {key}"
        for kind, place, entry in entries(document)
        for key in sorted(entry.keys() - KEYS[kind])
    ]


def test_references_only_flow_down_and_sources_are_read_in_staging(manifest):
    assert upward_edges(manifest) == []


def test_an_upward_reference_is_found():
    node = {"resource_type": "model", "name": "int_x", "fqn": ["planloop", "intermediate", "int_x"]}
    parent = {"resource_type": "model", "name": "mart_y", "fqn": ["planloop", "marts", "mart_y"]}
    node["depends_on"] = {"nodes": ["model.mart_y", "source.log"]}
    parent["depends_on"] = {"nodes": []}
    found = upward_edges({"nodes": {"model.int_x": node, "model.mart_y": parent}})
    assert found == ["int_x reads mart_y", "int_x reads source.log"]


def test_every_published_mart_has_a_reader(manifest):
    published = {key for key, node in models(manifest).items() if node["fqn"][1] == "marts"}
    read = {key for exposure in manifest["exposures"].values() for key in exposure["depends_on"]["nodes"]}
    assert published
    assert published - read == set()


def test_what_a_flavour_leaves_out_is_read_by_nothing_else(manifest):
    flavoured = {key for key, node in models(manifest).items() if "channel" in node["tags"]}
    assert flavoured
    leaning = [
        node["name"]
        for node in manifest["nodes"].values()
        if "channel" not in node["tags"] and flavoured & set(node["depends_on"]["nodes"])
    ]
    assert [name for name in leaning if not set_apart(name, manifest, flavoured)] == []


def set_apart(name: str, manifest: dict[str, Any], flavoured: set[str]) -> bool:
    """Whether dbt leaves a node out with the flavoured model (its tests), or the node asks whether that is there."""
    [node] = [node for node in manifest["nodes"].values() if node["name"] == name]
    if node["resource_type"] == "test":
        return node["attached_node"] in flavoured
    return "macro.planloop.is_built" in node["depends_on"]["macros"]


def test_a_model_is_named_by_its_layer_and_opens_with_its_grain(manifest):
    wrong = []
    for node in models(manifest).values():
        if not node["name"].startswith(PREFIXES[node["fqn"][1]]):
            wrong.append(f"{node['name']} is in {node['fqn'][1]}")
        if not node["raw_code"].lstrip().startswith("-- Grain: "):
            wrong.append(f"{node['name']} does not open with its grain")
    assert wrong == []


def test_a_mart_has_a_contract_a_key_and_the_night_it_is_of(manifest):
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in ("unique", "unique_combination")
    }
    wrong = []
    for key, node in models(manifest, "marts").items():
        columns = node["columns"]
        wrong += [
            f"{node['name']}.{name}: no description" for name, column in columns.items() if not column["description"]
        ]
        wrong += [f"{node['name']}: no column {name}" for name in ("as_of_date", "run_id") if name not in columns]
        if not node["config"]["contract"]["enforced"]:
            wrong.append(f"{node['name']}: no contract")
        if not re.match(r"\s*One row per ", node["description"]):
            wrong.append(f"{node['name']}: the description does not state the grain")
        if key not in tested:
            wrong.append(f"{node['name']}: no test of its key")
    assert wrong == []


def test_a_mart_that_is_a_view_is_asked_for_nulls_and_reads_only_what_is_published(manifest):
    asked = {
        node["attached_node"]: node["test_metadata"]["kwargs"]["columns"]
        for node in manifest["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "stated_values_are_there"
    }
    views = {key: node for key, node in models(manifest, "marts").items() if node["config"]["materialized"] == "view"}
    assert views
    stated = {
        key: [name for name, column in node["columns"].items() if column["constraints"]] for key, node in views.items()
    }
    assert asked == stated
    wrong: list[str] = []
    for node in views.values():
        parents = [manifest["nodes"][parent] for parent in node["depends_on"]["nodes"]]
        wrong += [f"{node['name']} reads {parent['name']}" for parent in parents if parent["schema"] != "basis"]
    assert wrong == []


def test_every_key_in_yaml_means_something_to_dbt():
    assert [fault for name, document in documents() for fault in unknown_keys(name, document)] == []


def test_a_misspelt_key_is_found():
    column = {"name": "c", "datatype": "date", "data_tests": [{"relationships": {"too": "x"}}]}
    document = {"models": [{"name": "m", "tests": [], "columns": [column]}]}
    assert unknown_keys("f.yml", document) == [
        "f.yml: m: tests",
        "f.yml: m.c: datatype",
        "f.yml: m.c.relationships: too",
    ]


def test_no_sql_reads_the_clock():
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for folder in ("models", "macros", "tests")
        for path in sorted((PROJECT / folder).rglob("*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if CLOCK.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "sql", ["{{ dbt.current_timestamp() }}", "select now()", "{{ run_started_at }}", "CURRENT_DATE"]
)
def test_a_clock_is_found(sql):
    assert CLOCK.search(sql)


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_staging_lists_exactly_the_columns_of_the_schema(entity):
    staging = properties(PROJECT / "models/staging/log/_log__models.yml")
    described = {model["name"]: model for model in staging["models"]}
    model = described[_log_entities()[entity]["model"]]
    columns = ENTITIES[entity].columns()
    place = ["_log_file", "_log_row"] if entity == "activity" else []  # what int_activities leaves rows out by
    assert [column["name"] for column in model["columns"]] == [*columns, *LOG_COLUMNS, *place]
    texts = {column["name"]: column["description"] for column in model["columns"]}
    assert {name: texts[name] for name in columns} == {name: column.description for name, column in columns.items()}


def test_the_change_log_is_keyed_in_sql_as_in_the_schemas():
    keys = {entity: tuple(entry["key"]) for entity, entry in _log_entities().items()}
    assert keys == {entity: schema.key() for entity, schema in ENTITIES.items()}


def _log_entities() -> dict[str, dict[str, Any]]:
    text = (PROJECT / "macros/current_rows.sql").read_text(encoding="utf-8")
    return ast.literal_eval(text[text.index("return(") + len("return(") : text.index(") }}")])
