"""F1: what is closed, plus every open deal at its amount times the win rate of its stage.

The baseline everyone knows (expected revenue = amount × probability). The marts weigh each deal by its stage's
historical win rate and round it to cents (``fct_opportunity.weighted_amount``), so the sums here agree with a sum over
deals. A deal counts in the period in which it is forecast to close. Deals not yet created are not in it, so far periods
come out low; and it gives a point, not a distribution.
"""

from dataclasses import dataclass

import polars as pl

from flows.config.fiscal import PERIOD_KINDS
from flows.forecast.features import Features
from flows.forecast.method import AMOUNTS, KEY
from flows.forecast.organisation import roll_up
from flows.forecast.periods import periods_ahead, with_starts

_PERIOD = ["period_kind", "period_start_on"]


@dataclass(frozen=True)
class StageWinRate:
    """Amount × stage win rate, summed."""

    name: str = "stage_win_rate"

    def forecast(self, features: Features) -> pl.DataFrame:
        """See ``ForecastMethod.forecast``; metric bookings, no distribution."""
        deals = features.open_deals.select(
            "node_key",
            day="forecast_close_on",
            open_amount="amount_cents",
            open_weighted_amount="weighted_cents",
            n_open=pl.lit(1, dtype=pl.Int64),
        )
        open_amounts = roll_up(
            _by_period(deals, features.days, ["open_amount", "open_weighted_amount", "n_open"]),
            features.nodes,
            _PERIOD,
            ["open_amount", "open_weighted_amount", "n_open"],
        )
        closed = _closed(features)
        zero_or_sum = [
            pl.col(name).fill_null(0) for name in ("closed_amount", "open_amount", "open_weighted_amount", "n_open")
        ]
        nothing = pl.lit(None, dtype=pl.Int64)
        return (
            periods_ahead(features.as_of, features.days)
            .join(features.nodes.select("node_key"), how="cross")
            .join(closed, on=[*_PERIOD, "node_key"], how="left")
            .join(open_amounts, on=[*_PERIOD, "node_key"], how="left")
            .with_columns(zero_or_sum)
            .with_columns(
                metric=pl.lit("bookings"),
                expected_amount=pl.col("closed_amount") + pl.col("open_weighted_amount"),
                p10=nothing,
                p50=nothing,
                p90=nothing,
            )
            .select(*KEY, *AMOUNTS, "n_open")
            .sort(KEY)
        )


def _closed(features: Features) -> pl.DataFrame:
    """What is closed, at the rep and at every node above the place in which the rep stood when it was booked."""
    bookings = features.bookings.rename({"booked_on": "day", "amount_cents": "closed_amount"})
    own = _by_period(bookings.select("node_key", "day", "closed_amount"), features.days, ["closed_amount"])
    above = bookings.select("day", "closed_amount", node_key="parent_node_key").drop_nulls("node_key")
    rolled_up = roll_up(_by_period(above, features.days, ["closed_amount"]), features.nodes, _PERIOD, ["closed_amount"])
    return (
        pl.concat([own.select(*_PERIOD, "node_key", "closed_amount"), rolled_up]).group_by(*_PERIOD, "node_key").sum()
    )


def _by_period(frame: pl.DataFrame, days: pl.DataFrame, values: list[str]) -> pl.DataFrame:
    """Sums by kind of period, period and node. ``frame``: node_key, day, values."""
    parts = [
        with_starts(frame, days, kind).group_by(*_PERIOD, "node_key").agg(pl.col(name).sum() for name in values)
        for kind in PERIOD_KINDS
    ]
    return pl.concat(parts)
