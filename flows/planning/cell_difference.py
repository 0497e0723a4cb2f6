"""What two versions of a plan ask of whom, cell beside cell; as rows and as a workbook."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.fiscal import PERIOD_KINDS, FiscalCalendar
from flows.config.plan.metrics import plan_metric
from flows.config.settings import Language
from flows.history.durable import replace_file

_CELL = ["metric", "node_key", "period_kind", "period_start_on"]
_KINDS = ("base", "stretch")
_HEADINGS: dict[str, tuple[str, str]] = {
    "stated": ("计划内容", "Stated"),
    "cells": ("目标单元格", "Cells"),
    "version": ("版本", "version"),
    "section": ("部分", "section"),
    "entry": ("条目", "entry"),
    "field": ("字段", "field"),
    "change": ("变化", "change"),
    "before": ("之前", "before"),
    "after": ("之后", "after"),
    "metric": ("指标", "metric"),
    "node_key": ("节点", "node"),
    "period": ("期间", "period"),
    "base_before": ("基准：之前", "base before"),
    "base_after": ("基准：之后", "base after"),
    "base_delta": ("基准：差额", "base change"),
    "base_growth": ("基准：增长", "base growth"),
    "stretch_before": ("挑战：之前", "stretch before"),
    "stretch_after": ("挑战：之后", "stretch after"),
    "stretch_delta": ("挑战：差额", "stretch change"),
    "stretch_growth": ("挑战：增长", "stretch growth"),
}


def of_cells(before: pl.DataFrame, after: pl.DataFrame, fiscal: FiscalCalendar, year: int) -> list[dict[str, Any]]:
    """Cells that are not the same, months before the quarters, halves and years that they make up.

    A cell that one version does not have is null there, and so is then the change.

    Args:
        before: targets of the one version (:data:`flows.warehouse.inputs.PLAN_TARGET`).
        after: those of the other, of the same fiscal year.
        fiscal: names the periods.
        year: the fiscal year.
    """
    names = {
        (kind, period.start_on): (number, period.name)
        for number, (kind, period) in enumerate(
            (kind, period) for kind in PERIOD_KINDS for period in fiscal.periods(year, kind)
        )
    }
    amounts = [f"{kind}_hundredths" for kind in _KINDS]
    both = before.select(*_CELL, *amounts).join(
        after.select(*_CELL, *amounts), on=_CELL, how="full", coalesce=True, suffix="_after"
    )
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in amounts)
    rows = []
    for row in both.filter(differs).iter_rows(named=True):
        number, period = names[row["period_kind"], row["period_start_on"]]
        cell: dict[str, Any] = {name: row[name] for name in _CELL} | {"period": period}
        for kind in _KINDS:
            old, new = row[f"{kind}_hundredths"], row[f"{kind}_hundredths_after"]
            delta = None if old is None or new is None else new - old
            cell |= {f"{kind}_before": _amount(old), f"{kind}_after": _amount(new), f"{kind}_delta": _amount(delta)}
        rows.append((row["metric"], row["node_key"] != "company", row["node_key"], number, cell))
    return [cell for *_, cell in sorted(rows, key=lambda one: one[:4])]


def of_years(before: pl.DataFrame, after: pl.DataFrame) -> list[dict[str, Any]]:
    """What two fiscal years ask of whom, a year's total beside the other's: the periods of a year are its own.

    A node that one year does not have is null there. Growth is the share by which the total grows: null of a rate (its
    change is in points) and where there was nothing.
    """
    amounts = [f"{kind}_hundredths" for kind in _KINDS]
    cell = ["metric", "node_key"]
    old, new = (one.filter(period_kind="year").select(*cell, *amounts) for one in (before, after))
    rows = []
    for row in old.join(new, on=cell, how="full", coalesce=True, suffix="_after").iter_rows(named=True):
        measure = plan_metric(row["metric"])
        found: dict[str, Any] = {name: row[name] for name in cell}
        for kind in _KINDS:
            first, second = row[f"{kind}_hundredths"], row[f"{kind}_hundredths_after"]
            is_known = first is not None and second is not None
            found |= {
                f"{kind}_before": _amount(first),
                f"{kind}_after": _amount(second),
                f"{kind}_delta": _amount(second - first) if is_known else None,
                f"{kind}_growth": _growth(first, second) if is_known and measure and measure.is_additive else None,
            }
        rows.append(found)
    return sorted(rows, key=lambda one: (one["metric"], one["node_key"] != "company", one["node_key"]))


def headed(rows: Sequence[Mapping[str, Any]], language: Language) -> list[dict[str, Any]]:
    """Rows under headings of a language, amounts with thousands; columns that are empty throughout are left out."""
    names = [
        name for name in _HEADINGS if rows and name in rows[0] and any(row[name] not in (None, "") for row in rows)
    ]
    return [
        {
            _HEADINGS[name][language == "en"]: _shown(name, row[name]) if isinstance(row[name], Decimal) else row[name]
            for name in names
        }
        for row in rows
    ]


def write_differences(
    path: Path, stated: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], language: Language
) -> Path:
    """A workbook with a sheet of what the versions state and one of their cells."""
    import xlsxwriter

    def write(temporary: Path) -> None:
        options = {"strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(temporary, options) as book:
            bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@", "quote_prefix": True})
            money, share = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "0.0%"})
            for title, rows in (("stated", stated), ("cells", cells)):
                page = book.add_worksheet(_HEADINGS[title][language == "en"])
                page.freeze_panes(1, 0)
                names = [name for name in _HEADINGS if rows and name in rows[0]]
                for number, name in enumerate(names):
                    page.set_column(number, number, 24 if title == "stated" else 16)
                    page.write_string(0, number, _HEADINGS[name][language == "en"], bold)
                    for line, row in enumerate(rows, start=1):
                        if isinstance(row[name], Decimal):
                            page.write_number(line, number, float(row[name]), share if _is_share(name) else money)
                        elif row[name] is not None:
                            page.write_string(line, number, str(row[name]), text)

    return replace_file(path, write)


def _growth(before: int, after: int) -> Decimal | None:
    return (Decimal(after - before) / before).quantize(Decimal("0.0001")) if before else None


def _is_share(name: str) -> bool:
    return name.endswith("_growth")


def _shown(name: str, value: Decimal) -> str:
    return f"{value:+.1%}" if _is_share(name) else f"{value:,.2f}"


def _amount(hundredths: int | None) -> Decimal | None:
    return None if hundredths is None else Decimal(hundredths).scaleb(-2)
