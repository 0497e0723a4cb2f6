"""The waterfall of any two days, read from a published version by the same definition that the marts are made by.

The definition is one text, ``dbt_project/macros/pipeline_moves.sql``: it names neither tables nor other macros, so
that it is rendered here, over ``fct_opportunity_state``, as dbt renders it over the states of the night.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from flows.errors import ConfigError, PermanentError

DEFINITION = Path(__file__).parents[2] / "dbt_project" / "macros" / "pipeline_moves.sql"
JOINED = ("created", "pulled_in", "reopened", "transferred_in")
LEFT = ("pushed_out", "transferred_out", "won", "lost", "deleted")
MOVEMENTS = ("start", *JOINED, "increase", "decrease", *LEFT, "end")
PERIOD = re.compile(
    r"(?:FY)?(?P<year>\d{4})(?:-(?P<month>\d{1,2})|[- ]?Q(?P<quarter>[1-4])|[- ]?[MP](?P<number>\d{1,2}))?", re.I
)

# A calendar month is one by name only where the company's months are calendar months.
_PERIOD_MONTHS = """
select min(month_start_on), max(month_start_on), max(month_end_on)
from marts.dim_date
where case
    when $month is not null
        then month_start_on = make_date($year, $month, 1) and month_end_on = last_day(month_start_on)
    when $quarter is not null then fiscal_year = $year and fiscal_quarter = $quarter
    when $number is not null then fiscal_year = $year and fiscal_month = $number
    else fiscal_year = $year
end
"""

# Only what can matter: deals of which anything held, or began, from the opening day on. Months go by the number of
# their first day: whatever months the company counts in, they are in order.
_STATES = """
create temp table states as
select
    opportunity_id as okey,
    from_on,
    until_on,
    case status when 'open' then 1 when 'won' then 2 when 'lost' then 3 else 4 end as status,
    cast(amount * 100 as bigint) as amount_cents,
    coalesce(close_month - date '0001-01-01', 0) as close_month_no,
    coalesce(open_close_month - date '0001-01-01', 0) as open_close_month_no,
    node_key as node_no,
    known_from_on,
    is_handed_over
from marts.fct_opportunity_state
where coalesce(until_on > $opening, true) and from_on <= $closing
"""

_SUMMED = """
with recursive nodes as (
    select node_key, parent_node_key from marts.dim_node where is_current
),
held as (
    select node_key from nodes where node_key = $node
    union all
    select nodes.node_key from nodes inner join held on nodes.parent_node_key = held.node_key
),
own as (
    select moves.*, others.node_key is not null as is_within
    from moves
    inner join held on moves.node_no = held.node_key
    left join held as others on moves.other_node_no = others.node_key
    where moves.scope = $scope
),
told as (
    select 'start' as movement, start_cents as cents, is_start as counts from own
    union all
    select joined_by, joined_cents, true from own where joined_by <> 'transferred_in' or not is_within
    union all
    select case when change_cents > 0 then 'increase' else 'decrease' end, abs(change_cents), true
    from own where change_cents <> 0
    union all
    select left_by, left_cents, true from own where left_by <> 'transferred_out' or not is_within
    union all
    select 'end', end_cents, is_end from own
)
select movement, cast(sum(cents) as bigint), count(*) filter (where counts)
from told
where movement is not null
group by movement
"""


@dataclass(frozen=True)
class _Months:
    """First day of the first and of the last month in which deals are expected to close, and last day of the last."""

    first_on: date
    last_on: date
    end_on: date


@dataclass(frozen=True)
class Waterfall:
    """How the pipeline of a node came from one day to another.

    Attributes:
        as_of_date: night of the published version.
        node_key: the node.
        first_on: first day of the window; it starts from the end of the day before.
        until_on: day at whose end it ends.
        closing_in: first days of the first and last month in which deals are expected to close; None for all open
            deals.
        amounts: amount by movement, in the reporting currency; every name of ``MOVEMENTS``.
        deals: number of deals by movement.
    """

    as_of_date: date
    node_key: str
    first_on: date
    until_on: date
    closing_in: tuple[date, date] | None
    amounts: dict[str, Decimal]
    deals: dict[str, int]


def read_waterfall(
    marts: Path, first_on: date | None, until_on: date | None, closing_in: str | None, node: str
) -> Waterfall:
    """Compute the waterfall of a window.

    Args:
        marts: DuckDB file of a published version.
        first_on: first day; by default that of the months that deals are to close in, else of the running quarter.
        until_on: last day; by default the as-of date, or the end of those months where it is past.
        closing_in: 2026, 2026Q3, 2026P9 (fiscal) or the calendar month 2026-09; None for all open deals.
        node: key or name of a node.

    Raises:
        PermanentError: nothing is published.
        ConfigError: the window, the period or the node is none of what is published.
    """
    if not marts.exists():
        raise PermanentError(f"Expected published marts at {marts}, found none. Run: planloop refresh")
    with duckdb.connect(str(marts), read_only=True) as connection:
        months = _months(connection, closing_in) if closing_in else None
        row = connection.execute("select day, quarter_start_on from marts.dim_date where day = as_of_date").fetchone()
        if row is None:
            raise PermanentError(f"Expected the as-of date among the days of dim_date in {marts}, found none.")
        as_of, quarter_start = row
        first = first_on or (months.first_on if months else quarter_start)
        until = until_on or (min(as_of, months.end_on) if months else as_of)
        if not first <= until <= as_of:
            raise ConfigError(
                [
                    f"Expected a window that ends after it begins and no later than the night of {as_of}, found {first}"
                    f" to {until}. Give --from and --to, or run planloop refresh for a newer night."
                ]
            )
        node_key = _node(connection, node)
        amounts, deals = _summed(connection, first - timedelta(days=1), until, months, node_key)
    closing = (months.first_on, months.last_on) if months else None
    return Waterfall(as_of, node_key, first, until, closing, amounts, deals)


def definition() -> str:
    """The query of the moves over ``states`` and ``windows``."""
    from jinja2 import Environment, StrictUndefined

    # SQL, no page: nothing is escaped.
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    called = (
        "with pairs as ({{ pipeline_pairs('states', 'windows') }}),"
        " moves as ({{ pipeline_moves('pairs', []) }}) select * from moves"
    )
    return environment.from_string(DEFINITION.read_text(encoding="utf-8") + called).render()


def _summed(
    connection: duckdb.DuckDBPyConnection,
    opening: date,
    closing: date,
    months: _Months | None,
    node_key: str,
) -> tuple[dict[str, Decimal], dict[str, int]]:
    wanted = months or _Months(opening, closing, closing)
    connection.execute(_STATES, {"opening": opening, "closing": closing})
    connection.execute(
        "create temp table windows as select 1 as window_no, $opening::date as opening_on,"
        " $closing::date as closing_on, $first::date as period_start_on, $end::date as period_end_on,"
        " $first::date - date '0001-01-01' as first_month_no, $last::date - date '0001-01-01' as last_month_no",
        {
            "opening": opening,
            "closing": closing,
            "first": wanted.first_on,
            "last": wanted.last_on,
            "end": wanted.end_on,
        },
    )
    connection.execute(f"create temp table moves as {definition()}")
    scope = "closing" if months else "all"
    found = connection.execute(_SUMMED, {"node": node_key, "scope": scope}).fetchall()
    cents = {movement: total for movement, total, _ in found}
    counted = {movement: number for movement, _, number in found}
    amounts = {movement: Decimal(cents.get(movement, 0)).scaleb(-2) for movement in MOVEMENTS}
    return amounts, {movement: counted.get(movement, 0) for movement in MOVEMENTS}


def _months(connection: duckdb.DuckDBPyConnection, written: str) -> _Months:
    match = PERIOD.fullmatch(written.strip())
    parts = {name: value and int(value) for name, value in match.groupdict().items()} if match else {}
    if not match or not 1 <= (parts["month"] or 1) <= 12:
        raise ConfigError([f"Expected a period like 2026, 2026Q3, 2026P9 or 2026-09, found {written!r}."])
    found = connection.execute(_PERIOD_MONTHS, parts).fetchone()
    if found is None or found[0] is None:
        expected = "a period that the calendar (dim_date) knows"
        if parts["month"]:
            expected += ", such as 2026P9 where the company's months are no calendar months"
        raise ConfigError([f"Expected {expected}, found {written!r}."])
    return _Months(*found)


def _node(connection: duckdb.DuckDBPyConnection, wanted: str) -> str:
    found = connection.execute(
        "select node_key from marts.dim_node where is_current and (node_key = $node or name = $node)"
        " order by node_key <> $node",
        {"node": wanted},
    ).fetchall()
    if found and (len(found) == 1 or found[0][0] == wanted):
        return str(found[0][0])
    fault = f"several: {', '.join(key for (key,) in found)}" if found else "none"
    raise ConfigError([f"Expected one node with the key or name {wanted!r}, found {fault}. dim_node lists them."])
