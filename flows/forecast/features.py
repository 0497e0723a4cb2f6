"""What a forecast may look at: the one place that reads the candidate, so that methods never depend on its tables."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from flows.errors import PermanentError
from flows.forecast.periods import period_start

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
    select node_key, booked_on, cast(sum(cast(amount * 100 as bigint)) as bigint) as amount_cents
    from marts.fct_booking
    where booked_on between $first and $as_of and amount is not null
    group by node_key, booked_on
    order by node_key, booked_on
"""
NODES = "select node_key, parent_node_key from marts.dim_node where is_current order by node_key"


@dataclass(frozen=True)
class Features:
    """Everything known on the as-of date that a method may use. Amounts are whole cents of the reporting currency.

    Attributes:
        open_deals: opportunity_id, node_key (of its rep), amount_cents, weighted_cents (amount × win rate of its stage,
            rounded to cents by the marts; 0 where no rate is known), forecast_close_on (as_of or later; null where no
            date can be given). A deal of unknown amount has 0.
        bookings: node_key, booked_on, amount_cents; from the start of the fiscal year to as_of, one row per node and
        day.
        nodes: node_key, parent_node_key; today's organisation, one tree with the company (parent null) on top.
    """

    as_of: date
    run_id: str
    fiscal_year_start_month: int
    open_deals: pl.DataFrame
    bookings: pl.DataFrame
    nodes: pl.DataFrame


def read_features(
    candidate: Path,
    as_of: date,
    run_id: str,
    fiscal_year_start_month: int,
    *,
    memory_limit: str = "4GB",
    threads: int = 2,
) -> Features:
    """Read the features from the candidate, which is opened read-only and closed again.

    Raises:
        PermanentError: a deal or a booking names a node that the organisation does not have.
    """
    first = period_start(as_of, "year", fiscal_year_start_month)
    with duckdb.connect(
        str(candidate), read_only=True, config={"memory_limit": memory_limit, "threads": threads}
    ) as connection:
        features = Features(
            as_of=as_of,
            run_id=run_id,
            fiscal_year_start_month=fiscal_year_start_month,
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
