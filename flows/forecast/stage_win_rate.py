"""F1: what is closed, plus every open deal at its amount times the win rate of its stage.

The baseline everyone knows (expected revenue = amount × probability). The marts weigh each deal by its stage's
historical win rate and round it to cents (``fct_opportunity.weighted_amount``), so the sums here agree with a sum over
deals. A deal counts in the period in which it is forecast to close. Deals not yet created are not in it, so far periods
come out low; and it gives a point, not a distribution.
"""

from dataclasses import dataclass

import polars as pl

from flows.forecast.features import Features
from flows.forecast.method import AMOUNTS, KEY
from flows.forecast.organisation import roll_up
from flows.forecast.periods import MONTHS, periods_ahead, starts_of

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
        open_amounts = _by_period(deals, features, ["open_amount", "open_weighted_amount", "n_open"])
        bookings = features.bookings.select("node_key", day="booked_on", closed_amount="amount_cents")
        closed = _by_period(bookings, features, ["closed_amount"])
        zero_or_sum = [
            pl.col(name).fill_null(0) for name in ("closed_amount", "open_amount", "open_weighted_amount", "n_open")
        ]
        nothing = pl.lit(None, dtype=pl.Int64)
        return (
            periods_ahead(features.as_of, features.fiscal_year_start_month)
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


def _by_period(frame: pl.DataFrame, features: Features, values: list[str]) -> pl.DataFrame:
    """Sums by kind of period, period and node, rolled up to every node above. ``frame``: node_key, day, values."""
    parts = [
        frame.with_columns(
            period_kind=pl.lit(kind), period_start_on=starts_of("day", kind, features.fiscal_year_start_month)
        )
        .group_by(*_PERIOD, "node_key")
        .agg(pl.col(name).sum() for name in values)
        for kind in MONTHS
    ]
    return roll_up(pl.concat(parts), features.nodes, _PERIOD, values)
