"""The marts as their contracts state them: empty tables for tests that need figures of their own in them."""

from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

MODELS = Path(__file__).parents[1] / "dbt_project" / "models"


@cache
def properties(path: Path) -> dict[str, Any]:
    """A YAML file beside the models, read once; by libyaml, since there are ten thousand lines of them."""
    found: dict[str, Any] | None = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found or {}


def create_marts(connection: duckdb.DuckDBPyConnection) -> None:
    """Create schema ``marts`` with all its tables, empty."""
    connection.execute("create schema marts")
    for path in sorted(MODELS.glob("marts/**/_*__models.yml")):
        for model in properties(path)["models"]:
            columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in model["columns"])
            connection.execute(f"create table marts.{model['name']} ({columns})")
