"""Adding up along the organisation: what belongs to a node belongs to every node above it."""

import polars as pl

from flows.errors import PermanentError

MAX_LEVELS = 20
"""Deeper than any organisation; a parent chain that goes on has a circle in it."""


def ancestors(nodes: pl.DataFrame) -> pl.DataFrame:
    """Every node with itself and each node above it.

    Args:
        nodes: node_key, parent_node_key (null on top).

    Returns:
        Columns node_key, ancestor_key.

    Raises:
        PermanentError: the chain of parents runs in a circle.
    """
    parents = nodes.select(ancestor_key="node_key", parent_node_key="parent_node_key")
    step = nodes.select("node_key", ancestor_key="node_key")
    found = [step]
    for _ in range(MAX_LEVELS):
        step = (
            step.join(parents, on="ancestor_key")
            .filter(pl.col("parent_node_key").is_not_null())
            .select("node_key", ancestor_key="parent_node_key")
        )
        if step.is_empty():
            return pl.concat(found)
        found.append(step)
    circle = ", ".join(sorted(step["node_key"].unique())[:5])
    raise PermanentError(f"marts.dim_node: expected at most {MAX_LEVELS} levels, found a circle of parents at {circle}")


def roll_up(frame: pl.DataFrame, nodes: pl.DataFrame, by: list[str], values: list[str]) -> pl.DataFrame:
    """Sum whole numbers of nodes into every node above them.

    Args:
        frame: node_key, ``by`` and ``values``.
        nodes: node_key, parent_node_key.
        by: further columns of the key.
        values: integer columns; sums of integers do not depend on their order, so children add up to parents exactly.
    """
    return (
        frame.join(ancestors(nodes), on="node_key")
        .group_by(*by, node_key="ancestor_key")
        .agg(pl.col(name).sum() for name in values)
    )
