"""A plan version as tables: the organisation down, the periods across; and what stands beside its targets."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from flows.config.fiscal import PERIOD_KINDS, FiscalCalendar, Period
from flows.errors import ConfigError
from flows.planning.night import PlannedVersion

HEADS: dict[str, dict[str, str]] = {
    "metric": {"en": "metric", "zh": "指标"},
    "node": {"en": "node", "zh": "节点"},
    "base": {"en": "base", "zh": "基本目标"},
    "stretch": {"en": "stretch", "zh": "挑战目标"},
    "given": {"en": "target", "zh": "目标"},
    "growth": {"en": "by growth", "zh": "按增长"},
    "trend": {"en": "by trend", "zh": "按趋势"},
    "capacity": {"en": "by capacity", "zh": "按产能"},
    "blend": {"en": "blend", "zh": "加权"},
    "over_assignment": {"en": "over-assigned", "zh": "超额分配"},
    "season": {"en": "season", "zh": "季节性"},
}
LEFT_OUT = {
    "en": "{n:,} nodes further down are not shown; --node, --xlsx or --json has them.",
    "zh": "另有 {n:,} 个下级节点未列出，可用 --node、--xlsx 或 --json 查看。",
}
MOST_ROWS = 1_000
"""So many lines somebody may still look through on a terminal; of thousands of reps, --node shows those of one team."""


def amount(hundredths: int | Fraction | None, unit: str) -> str:
    """As people read it: money with cents, a count whole, a rate with its sign."""
    if hundredths is None:
        return ""
    exact = Decimal(round(hundredths)).scaleb(-2)
    if unit == "percent":
        return f"{exact:,.2f} %"
    return f"{exact:,.0f}" if unit == "count" else f"{exact:,.2f}"


def period_of(fiscal: FiscalCalendar, fiscal_year: int, name: str) -> Period:
    """The period of this name.

    Raises:
        ConfigError: the year has none of that name.
    """
    found = fiscal.named(fiscal_year, name)
    if found is None:
        raise ConfigError(
            [
                f"expected a period of fiscal year {fiscal_year}: year, H1, Q3, M07"
                + (f" or a month such as {fiscal_year}-07" if fiscal.pattern == "months" else " or P7")
                + f"; found {name!r}"
            ]
        )
    return found


def cells(
    one: PlannedVersion, *, metric: str | None = None, node: str | None = None, period: Period | None = None
) -> pl.DataFrame:
    """Rows of a version: of one metric, of a node and all below it, of a period and those within it.

    Raises:
        ConfigError: nothing is left; the message lists what there is.
    """
    found = one.targets
    if metric is not None:
        found = _some(found.filter(pl.col("metric") == metric), found, "metric", metric)
    if node is not None:
        found = _some(found.filter(pl.col("node_key").is_in(_below(found, node))), found, "node_key", node)
    if period is not None:
        within = pl.col("period_start_on").is_between(period.start_on, period.end_on)
        shorter = PERIOD_KINDS[: PERIOD_KINDS.index(period.kind) + 1]
        found = found.filter(within & pl.col("period_kind").is_in(shorter))
    return found


def _some(found: pl.DataFrame, among: pl.DataFrame, column: str, asked: str) -> pl.DataFrame:
    if found.is_empty():
        known = ", ".join(among[column].unique().sort().to_list()[:12]) or "none"
        raise ConfigError([f"expected a {column} that the version has a target of ({known}, …), found {asked!r}"])
    return found


def _below(targets: pl.DataFrame, node: str) -> list[str]:
    parents = targets.select("node_key", "parent_node_key").unique()
    children: dict[str, list[str]] = {}
    for key, parent in parents.iter_rows():
        children.setdefault(parent, []).append(key)
    found, places = [node], {node}
    for key in found:  # grows while it is read
        new = [child for child in children.get(key, ()) if child not in places]
        found += new
        places.update(new)
    return found


def from_the_top(targets: pl.DataFrame, most: int = MOST_ROWS) -> tuple[pl.DataFrame, int]:
    """The rows of as many whole levels, from the top, as make ``most`` lines, and how many nodes are left out."""
    depths = dict(_in_order(targets))
    metrics, kept, lines = targets["metric"].n_unique(), 0, 0
    for depth in range(max(depths.values(), default=0) + 1):
        lines += metrics * sum(one == depth for one in depths.values())
        if depth and lines > most:
            break
        kept = depth
    shown = [node for node, depth in depths.items() if depth <= kept]
    return targets.filter(pl.col("node_key").is_in(shown)), len(depths) - len(shown)


def tree_rows(
    targets: pl.DataFrame, fiscal: FiscalCalendar, fiscal_year: int, *, stretch: bool = False
) -> list[dict[str, str]]:
    """One row a metric and node, indented by its place; months, quarters, halves and the year across."""
    column = "stretch_hundredths" if stretch else "base_hundredths"
    periods = sorted(
        (period for kind in PERIOD_KINDS for period in fiscal.periods(fiscal_year, kind)),
        key=lambda period: (period.end_on, PERIOD_KINDS.index(period.kind)),
    )
    wanted = {tuple(row) for row in targets.select("period_kind", "period_start_on").unique().iter_rows()}
    shown = [period for period in periods if (period.kind, period.start_on) in wanted]
    rows = []
    for (metric,), frame in sorted(targets.group_by("metric"), key=lambda item: str(item[0][0])):
        found = {
            (node, kind, start): value
            for node, kind, start, value in frame.select(
                "node_key", "period_kind", "period_start_on", column
            ).iter_rows()
        }
        unit = frame["unit"][0]
        for node, depth in _in_order(frame):
            row = {"metric": str(metric), "node": "  " * depth + node}
            for period in shown:
                row[fiscal.label(period)] = amount(found.get((node, period.kind, period.start_on)), unit)
            rows.append(row)
    return rows


def _in_order(frame: pl.DataFrame) -> Iterable[tuple[str, int]]:
    """Nodes from the top down, each below its newest parent."""
    latest = frame.sort("period_start_on").group_by("node_key").agg(pl.col("parent_node_key").last())
    parents = dict(latest.iter_rows())
    children: dict[str | None, list[str]] = {}
    for key, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(key)
    stack = [(key, 0) for key in sorted(children.get(None, ()), reverse=True)]
    while stack:
        key, depth = stack.pop()
        yield key, depth
        stack += [(child, depth + 1) for child in sorted(children.get(key, ()), reverse=True)]


def target_rows(one: PlannedVersion) -> list[dict[str, Any]]:
    """The annual targets of a version: what was chosen, the ways to it beside it, and by how much it is over-assigned.

    Capacity: Σ quota × ramp × active share × expected attainment. Over-assignment: Σ quota ÷ target − 1.
    """
    rows = []
    years = one.targets.filter(pl.col("period_kind") == "year", pl.col("derivation") == "given")
    order = ("metric", "node_key", "unit", "base_hundredths", "stretch_hundredths")
    for metric, node, unit, base, stretch in years.select(order).sort("metric", "node_key").iter_rows():
        ways = one.allocation.ways if one.allocation else None
        proposed = ways.proposed.get((metric, node)) if ways else None
        quota = ways.quotas.get((metric, node)) if ways else None
        carried = ways.capacity.get((metric, node)) if ways else None
        season = one.allocation.seasons.get((metric, node)) if one.allocation else None
        rows.append(
            {
                "metric": metric,
                "node": node,
                "base": amount(base, unit),
                "stretch": amount(stretch, unit),
                "growth": amount(proposed.growth if proposed else None, unit),
                "trend": amount(proposed.trend if proposed else None, unit),
                "capacity": amount(carried, unit),
                "blend": amount(proposed.blend if proposed else None, unit),
                "over_assignment": f"{float(quota / base - 1):+.1%}" if quota is not None and base else "",
                "season": "" if season is None else " ".join([season.by, *map(str, season.years)]),
            }
        )
    return rows


def headed(rows: Sequence[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """The same rows under headings of a language; columns that are empty throughout are left out."""
    names = [name for name in rows[0] if any(row[name] != "" for row in rows)] if rows else []
    return [{HEADS.get(name, {}).get(language, name): row[name] for name in names} for row in rows]


def write_workbook(path: Path, one: PlannedVersion, targets: pl.DataFrame, fiscal: FiscalCalendar) -> None:
    """An xlsx file: one sheet a metric with the tree of base and stretch, and all cells as a list."""
    import xlsxwriter

    # Row by row to disk: of thousands of reps there are millions of cells.
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        money, head = book.add_format({"num_format": "#,##0.00"}), book.add_format({"bold": True, "bottom": 1})
        for (metric,), frame in sorted(targets.group_by("metric"), key=lambda item: str(item[0][0])):
            sheet = book.add_worksheet(str(metric).replace(":", " ")[:31])
            line = 0
            for column in ("base_hundredths", "stretch_hundredths"):
                if frame[column].null_count() == frame.height:
                    continue
                line = _write_tree(sheet, line, frame, column, one, fiscal, money, head) + 1
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, 30, 15)
            sheet.freeze_panes(1, 1)
        _write_cells(book.add_worksheet("cells"), targets, head)


def _write_tree(
    sheet: Any,
    line: int,
    frame: pl.DataFrame,
    column: str,
    one: PlannedVersion,
    fiscal: FiscalCalendar,
    money: Any,
    head: Any,
) -> int:
    fiscal_year = one.version.year
    periods = sorted(
        (period for kind in PERIOD_KINDS for period in fiscal.periods(fiscal_year, kind)),
        key=lambda period: (period.end_on, PERIOD_KINDS.index(period.kind)),
    )
    found: dict[tuple[str, str, date], int] = {
        (node, kind, start): value
        for node, kind, start, value in frame.select("node_key", "period_kind", "period_start_on", column).iter_rows()
    }
    name = f"{one.version.id} {column.removesuffix('_hundredths')}"
    sheet.write_row(line, 0, [name, *(fiscal.label(period) for period in periods)], head)
    for node, depth in _in_order(frame):
        line += 1
        sheet.write_string(line, 0, "  " * depth + node)
        for place, period in enumerate(periods, start=1):
            value = found.get((node, period.kind, period.start_on))
            if value is not None:
                sheet.write_number(line, place, value / 100, money)
    return line + 1


def _write_cells(sheet: Any, targets: pl.DataFrame, head: Any) -> None:
    sheet.write_row(0, 0, targets.columns, head)
    for line, row in enumerate(targets.iter_rows(), start=1):
        for place, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_string(line, place, value.isoformat())
            elif value is not None:
                sheet.write(line, place, value)
