"""What the funnel itself says: how many of one step became the next, what one was worth, how long it took.

Rates are those of cohorts: everything that began in a month, and what became of it. A month is mature, and only then
counted, once its last day lies as far back as 95 of 100 took that made it; younger cohorts would show what has not
happened yet as what never will. All figures carry the number of records behind them.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from flows.config.plan.metrics import plan_metric
from flows.config.plan.model import FunnelStep

MIN_N = 20
"""Fewer records than these say nothing: the node above is asked."""
WINDOW_DAYS = 3 * 365
"""Cohorts that began longer ago tell of another company."""
MATURE_SHARE = 0.95
_LEAD_WINDOWS = (30, 60, 90)

Link = tuple[str, str]
"""The metrics of a step: from, to."""


class Measured(NamedTuple):
    """A figure of one node: what ``n`` records made (a number, or money in whole units), and their median of days."""

    made: Fraction
    n: int
    days: int | None


@dataclass(frozen=True)
class Found:
    """A figure with where it comes from: the node it was read at (None: stated by the plan) and its n."""

    value: Fraction
    node_key: str | None = None
    n: int | None = None


@dataclass(frozen=True)
class FunnelHistory:
    """Measured figures by link and node; empty where nothing is known yet."""

    links: Mapping[Link, Mapping[str, Measured]] = field(default_factory=dict)
    min_n: int = MIN_N

    def per(self, link: Link, path: Iterable[str]) -> Found | None:
        """What one of the first metric brings of the second, at the first node of ``path`` that has seen enough."""
        for node, measured in self._known(link, path):
            if measured.made > 0:
                return Found(measured.made / measured.n, node, measured.n)
        return None

    def days(self, link: Link, path: Iterable[str]) -> Found | None:
        """Median days from the one to the other, likewise."""
        for node, measured in self._known(link, path):
            if measured.days is not None:
                return Found(Fraction(measured.days), node, measured.n)
        return None

    def most(self, link: Link) -> int:
        """The largest n that any node has: what a message says of thin history."""
        return max((measured.n for measured in self.links.get(link, {}).values()), default=0)

    def _known(self, link: Link, path: Iterable[str]) -> Iterable[tuple[str, Measured]]:
        nodes = self.links.get(link, {})
        return ((node, nodes[node]) for node in path if node in nodes and nodes[node].n >= self.min_n)


def read_funnel_history(marts: Path, as_of: date, steps: Iterable[FunnelStep]) -> FunnelHistory:
    """Read what ``steps`` ask history for from built marts (read-only).

    Args:
        marts: a database with the schema ``marts``.
        as_of: the night it stands for.
        steps: steps with ``history`` as rate, value or lead days; of others nothing is read.
    """
    asked = [step for step in steps if "history" in (step.rate, step.value, step.lead_days)]
    if not asked:
        return FunnelHistory()
    with duckdb.connect(str(marts), read_only=True) as connection:
        return FunnelHistory({(step.metric, step.to): _measured(connection, step, as_of) for step in asked})


class _Cohort(NamedTuple):
    """What the deals of one rep and month made; ``days``: how long each that made it took."""

    node_key: str
    month_end: date
    n: int
    days: list[int]


def _measured(connection: duckdb.DuckDBPyConnection, step: FunnelStep, as_of: date) -> dict[str, Measured]:
    target = plan_metric(step.to)
    if target is not None and target.unit == "money":
        return _worth(connection, step, as_of) if step.metric == "won_count" else {}
    if step.metric in ("leads", "qualified_leads"):
        return _of_leads(connection, step, as_of)
    began, reached = _began(step.metric), _reached(step.to)
    return _of_deals(connection, step, as_of, began, reached) if began and reached else {}


def _of_deals(
    connection: duckdb.DuckDBPyConnection, step: FunnelStep, as_of: date, began: str, reached: str
) -> dict[str, Measured]:
    rows = connection.execute(
        f"""
        with began as ({began}), reached as ({reached}),
        followed as (
            select began.opportunity_id, node_key, began_on, date_diff('day', began_on, min(reached_on)) as days
            from began
            left join reached on began.opportunity_id = reached.opportunity_id and reached_on >= began_on
            where began_on between $first and $as_of
            group by began.opportunity_id, node_key, began_on
        )
        select node_key, last_day(began_on), count(*), coalesce(list(days) filter (where days is not null), [])
        from followed
        group by node_key, last_day(began_on)
        """,  # noqa: S608 (the parts are constants of this module)
        {**_window(as_of), "from_stage": _stage(step.metric), "to_stage": _stage(step.to)},
    ).fetchall()
    cohorts = _mature([_Cohort(*row) for row in rows], as_of)
    found: dict[str, list[_Cohort]] = defaultdict(list)
    above = _above(connection)
    for cohort in cohorts:
        for node in above(cohort.node_key):
            found[node].append(cohort)
    return {node: _together(own) for node, own in found.items()}


def _mature(cohorts: list[_Cohort], as_of: date) -> list[_Cohort]:
    took = sorted(days for cohort in cohorts for days in cohort.days)
    ripe = timedelta(days=took[math.ceil(len(took) * MATURE_SHARE) - 1] if took else 0)
    return [cohort for cohort in cohorts if cohort.month_end + ripe <= as_of]


def _together(cohorts: list[_Cohort]) -> Measured:
    days = sorted(one for cohort in cohorts for one in cohort.days)
    return Measured(Fraction(len(days)), sum(cohort.n for cohort in cohorts), _median(days))


def _median(days: list[int]) -> int | None:
    """The lower middle: a day on which it did happen."""
    return days[(len(days) - 1) // 2] if days else None


def _above(connection: duckdb.DuckDBPyConnection) -> Callable[[str], tuple[str, ...]]:
    """A node and all above it, tonight."""
    parents = dict(
        connection.execute("select node_key, parent_node_key from marts.dim_node where is_current").fetchall()
    )

    @cache
    def path(node: str) -> tuple[str, ...]:
        parent = parents.get(node)
        return (node, *path(parent)) if parent else (node,)

    return path


def _window(as_of: date) -> dict[str, object]:
    return {"as_of": as_of, "first": as_of - timedelta(days=WINDOW_DAYS)}


def _stage(metric: str) -> str | None:
    family, _, member = metric.partition(":")
    return member if family == "entered" else None


_CREATED = (
    "select opportunity_id, node_key, created_on as began_on from marts.fct_opportunity where $from_stage is null"
)
_ENTERED = """
    select opportunity_id, node_key, entered_on as began_on from marts.fct_stage_spell
    where stage = $from_stage and is_first_entry and not is_entry_assumed and not is_deal_deleted
"""
_WON = "select opportunity_id, closed_on as reached_on from marts.fct_opportunity where is_won and $to_stage is null"
_THERE_OR_LATER = """
    select opportunity_id, entered_on as reached_on from marts.fct_stage_spell
    where not is_deal_deleted and stage_no >= (select stage_no from marts.dim_stage where stage = $to_stage)
    union all
    select opportunity_id, closed_on as reached_on from marts.fct_opportunity where is_won
"""


def _began(metric: str) -> str | None:
    """Deals where the step begins: created, or for the first time in a stage, as the conversion of stages counts it."""
    return _CREATED if metric == "created_count" else _ENTERED if _stage(metric) else None


def _reached(metric: str) -> str | None:
    """Deals where it ends: won, or in the stage or any later one."""
    return _WON if metric == "won_count" else _THERE_OR_LATER if _stage(metric) else None


def _worth(connection: duckdb.DuckDBPyConnection, step: FunnelStep, as_of: date) -> dict[str, Measured]:
    """What a won deal brings: all that was booked in the window over the deals won in it.

    Deals without an amount count, as they brought nothing. It takes no time: booked is what is won.
    """
    column = {"bookings": "amount", "margin": "margin"}.get(step.to)
    if column is None:
        return {}
    rows = connection.execute(
        f"""
        select node_key, sum(n), sum(hundredths)
        from (
            select node_key, 1 as n, 0 as hundredths from marts.fct_opportunity
            where is_won and closed_on between $first and $as_of
            union all
            select node_key, 0, cast(coalesce({column}, 0) * 100 as bigint) from marts.fct_booking
            where booked_on between $first and $as_of
        )
        group by node_key
        """,  # noqa: S608 (one of two constants)
        _window(as_of),
    ).fetchall()
    above = _above(connection)
    sums: dict[str, tuple[int, int]] = {}
    for own, n, hundredths in rows:
        for node in above(own):
            before = sums.get(node, (0, 0))
            sums[node] = (before[0] + int(n), before[1] + int(hundredths))
    return {node: Measured(Fraction(hundredths, 100), n, 0) for node, (n, hundredths) in sums.items()}


_LEADS = {
    ("leads", "qualified_leads"): ("leads", "qualified"),
    ("leads", "created_count"): ("leads", "converted_90d"),
    ("qualified_leads", "created_count"): ("qualified", "converted_90d"),
}


def _of_leads(connection: duckdb.DuckDBPyConnection, step: FunnelStep, as_of: date) -> dict[str, Measured]:
    """Leads that were qualified, and that became deals within 90 days, of months that are so old: as their mart counts.

    It tells days only of conversions, and those by windows of 30: the first within which half of them had converted.
    """
    of, made = _LEADS.get((step.metric, step.to), (None, None))
    if of is None:
        return {}
    rows = connection.execute(
        f"""
        select node_key, sum({of}), sum({made}), sum(converted_30d), sum(converted_60d), sum(converted_90d)
        from marts.mart_lead_funnel
        where period_kind = 'month' and source = 'all' and quality = 'all' and industry = 'all' and segment = 'all'
            and converted_90d is not null and period_start_on between $first and $as_of
        group by node_key
        """,  # noqa: S608 (columns named above)
        _window(as_of),
    ).fetchall()
    is_dated = (step.metric, step.to) == ("leads", "created_count")
    return {
        node: Measured(Fraction(int(reached)), int(n), _window_of_half(within) if is_dated else None)
        for node, n, reached, *within in rows
    }


def _window_of_half(within: Sequence[int]) -> int | None:
    return next((days for days, made in zip(_LEAD_WINDOWS, within, strict=True) if 2 * made >= within[-1] > 0), None)
