"""What is printed of a plan is what somebody can still look through; workbooks have every cell."""

from datetime import date
from types import SimpleNamespace

import openpyxl
import polars as pl

from flows.config.fiscal import FiscalCalendar
from flows.planning.show import from_the_top, write_workbook
from flows.warehouse.inputs import PLAN_TARGET

PARENTS = {
    "company": None,
    "region:N": "company",
    "region:S": "company",
    "rep:a": "region:N",
    "rep:b": "region:N",
    "rep:c": "region:S",
}


def targets() -> pl.DataFrame:
    """Two metrics of six nodes in January: the company, two regions, three reps."""
    rows = [
        {
            "plan_version": "v1",
            "metric": metric,
            "unit": "count",
            "period_kind": "month",
            "period_start_on": date(2026, 1, 1),
            "node_key": node,
            "parent_node_key": parent,
            "base_hundredths": 100 * number,
        }
        for metric in ("won_count", "leads")
        for number, (node, parent) in enumerate(PARENTS.items(), start=1)
    ]
    return pl.DataFrame([{**dict.fromkeys(PLAN_TARGET), **row} for row in rows], schema=PLAN_TARGET)


def shown(most: int) -> tuple[set[str], int]:
    found, left_out = from_the_top(targets(), most)
    return set(found["node_key"]), left_out


def test_whole_levels_are_shown_from_the_top_and_the_rest_is_counted() -> None:
    """Two metrics: the company makes 2 lines, with regions 6, with reps 12. The top is shown in any case."""
    assert shown(12) == (set(PARENTS), 0)
    assert shown(11) == ({"company", "region:N", "region:S"}, 3)
    assert shown(5) == ({"company"}, 5)
    assert shown(1) == ({"company"}, 5)


def test_a_workbook_has_every_cell_and_the_tree_of_each_metric(tmp_path) -> None:
    one = SimpleNamespace(version=SimpleNamespace(id="v1", year=2026))
    write_workbook(tmp_path / "plan.xlsx", one, targets(), FiscalCalendar())
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    assert book.sheetnames == ["leads", "won_count", "cells"]
    assert [row[0] for row in book["leads"].iter_rows(min_row=2, max_col=1, values_only=True)] == [
        "company",
        "  region:N",
        "    rep:a",
        "    rep:b",
        "  region:S",
        "    rep:c",
    ]
    assert [row[1] for row in book["leads"].iter_rows(min_row=2, max_col=2, values_only=True)] == [1, 2, 4, 5, 3, 6]
    assert book["cells"].max_row == 13
    assert book["leads"].column_dimensions["A"].width > 30
