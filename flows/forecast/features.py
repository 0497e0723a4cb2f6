"""What a forecast may look at: the one place that reads the candidate, so that methods never depend on its tables."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from flows.errors import PermanentError

OPEN_DEALS = """
    select
        opportunity_id,
        node_key,
        cast(coalesce(amount, 0) * 100 as bigint) as amount_cents,
        cast(coalesce(weighted_amount, 0) * 100 as bigint) as weighted_cents,
        greatest(forecast_close_on, $as_of) as forecast_close_on
    from marts.fct_opportunity
    where not is_closed
    order by opportunity_id
"""
BOOKINGS = """
    with stays as (
        select
            node_key,
            parent_node_key,
            case
                when row_number() over (partition by node_key order by valid_from nulls first) > 1 then valid_from
                else date '0001-01-01'
            end as valid_from
        from marts.dim_node
    )
    select
        bookings.node_key,
        stays.parent_node_key,
        bookings.booked_on,
        cast(sum(cast(bookings.amount * 100 as bigint)) as bigint) as amount_cents
    from marts.fct_booking as bookings
    asof left join stays
        on bookings.node_key = stays.node_key and bookings.booked_on >= stays.valid_from
    where bookings.booked_on between $first and $as_of and bookings.amount is not null
    group by all
    order by all
"""
DAYS = """
    select day, month_start_on, quarter_start_on, half_start_on, year_start_on
    from marts.dim_date
    order by day
"""
NODES = "select node_key, parent_node_key from marts.dim_node where is_current order by node_key"


@dataclass(frozen=True)
class Features:
    """Everything known on the as-of date that a method may use. Amounts are whole cents of the reporting currency.

    Attributes:
        open_deals: opportunity_id, node_key (of its rep), amount_cents, weighted_cents (amount × win rate of its stage,
            rounded to cents by the marts; 0 where no rate is known), forecast_close_on (as_of or later; null where no
            date can be given). A deal of unknown amount has 0.
        bookings: node_key, parent_node_key (where the rep stood then), booked_on, amount_cents; from the start of the
            fiscal year to as_of.
        days: day, month_start_on, quarter_start_on, half_start_on, year_start_on; the company's calendar.
        nodes: node_key, parent_node_key; today's organisation, one tree with the company (parent null) on top.
    """

    as_of: date
    run_id: str
    days: pl.DataFrame
    open_deals: pl.DataFrame
    bookings: pl.DataFrame
    nodes: pl.DataFrame


def read_features(
    candidate: Path,
    as_of: date,
    run_id: str,
    *,
    memory_limit: str = "4GB",
    threads: int = 2,
) -> Features:
    """Read the features from the candidate, which is opened read-only and closed again.

    Raises:
        PermanentError: a deal or a booking names a node that the organisation does not have.
    """
    with duckdb.connect(
        str(candidate), read_only=True, config={"memory_limit": memory_limit, "threads": threads}
    ) as connection:
        days = connection.execute(DAYS).pl()
        first = days.filter(day=as_of)["year_start_on"].min()
        features = Features(
            as_of=as_of,
            run_id=run_id,
            days=days,
            open_deals=connection.execute(OPEN_DEALS, {"as_of": as_of}).pl(),
            bookings=connection.execute(BOOKINGS, {"as_of": as_of, "first": first}).pl(),
            nodes=connection.execute(NODES).pl(),
        )
    _check_nodes(features)
    return features


def _check_nodes(features: Features) -> None:
    known = set(features.nodes["node_key"])
    for table, frame in (("fct_opportunity", features.open_deals), ("fct_booking", features.bookings)):
        unknown = sorted(set(frame["node_key"]) - known, key=str)
        if unknown:
            raise PermanentError(
                f"marts.{table}: expected every node_key among the current nodes of marts.dim_node, found "
                f"{', '.join(map(str, unknown[:5]))} ({len(unknown)} in all); their amounts would be missing here"
            )
