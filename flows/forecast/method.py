"""What a forecast method is, and the table it fills."""

from typing import Protocol

import polars as pl

from flows.forecast.features import Features

AMOUNTS = (
    "closed_amount",
    "open_amount",
    "open_weighted_amount",
    "expected_amount",
    "p10",
    "p50",
    "p90",
)
"""Money columns of a forecast, in the order of the table ``forecast``."""

KEY = ("metric", "period_kind", "period_start_on", "node_key")
"""What one row of a method's forecast stands for."""


class ForecastMethod(Protocol):
    """A way to forecast. It sees the features and nothing else, so a backtest can show it any past night."""

    @property
    def name(self) -> str:
        """Name in the ledger; a method that changes what it computes gets a new one."""

    def forecast(self, features: Features) -> pl.DataFrame:
        """Forecast every metric it knows for all periods ahead and all nodes.

        Returns:
            Columns ``KEY``, ``AMOUNTS`` as whole cents (Int64; p10 to p90 null where the method gives no
            distribution) and n_open, one row per key. ``closed_amount``, ``open_amount``, ``open_weighted_amount``
            and ``expected_amount`` of a node are the sums of its children's, exactly.
        """
