"""Tonight's forecast: read the features, let every method forecast, check what they say, hand it to the build."""

from collections.abc import Sequence

import polars as pl

from flows.errors import PermanentError
from flows.forecast.features import Features, read_features
from flows.forecast.method import AMOUNTS, KEY, ForecastMethod
from flows.forecast.stage_win_rate import StageWinRate
from flows.warehouse.inputs import FORECAST, Run, write_input
from flows.workspace import Workspace

METHODS: tuple[ForecastMethod, ...] = (StageWinRate(),)
"""The methods of every night."""


def forecast_night(
    workspace: Workspace,
    run: Run,
    *,
    methods: Sequence[ForecastMethod] = METHODS,
    memory_limit: str = "4GB",
    threads: int = 2,
) -> pl.DataFrame:
    """Forecast from the built candidate and write ``build/inputs/forecast.parquet``.

    The ledger is not touched: a night enters it (``flows.forecast.ledger.append``) once it has passed its audit.

    Returns:
        Columns ``FORECAST``, one row per method × metric × period × node.

    Raises:
        PermanentError: the candidate's organisation has gaps, or a method breaks its promise.
    """
    features = read_features(
        workspace.candidate,
        run.as_of_date,
        run.run_id,
        memory_limit=memory_limit,
        threads=threads,
    )
    frame = forecast_all(features, methods)
    write_input(workspace, "forecast", frame)
    return frame


def forecast_all(features: Features, methods: Sequence[ForecastMethod]) -> pl.DataFrame:
    """The forecasts of all methods as the table ``forecast``; amounts become decimals in the reporting currency.

    Raises:
        PermanentError: a method returns a key twice.
    """
    frames = [pl.DataFrame(schema=FORECAST)]
    for method in methods:
        result = method.forecast(features)
        if result.select(KEY).is_duplicated().any():
            raise PermanentError(f"forecast method {method.name}: expected one row per {', '.join(KEY)}, found repeats")
        frames.append(
            result.with_columns(
                *(_money(name) for name in AMOUNTS),
                as_of_date=pl.lit(features.as_of),
                run_id=pl.lit(features.run_id),
                method=pl.lit(method.name),
            ).select(pl.col(name).cast(dtype) for name, dtype in FORECAST.items())
        )
    return pl.concat(frames).sort("method", *KEY)


def _money(name: str) -> pl.Expr:
    """Whole cents as an exact decimal: by multiplication, which keeps every digit."""
    return (pl.col(name).cast(pl.Decimal(18, 0)) * pl.lit("0.01").cast(pl.Decimal(3, 2))).cast(pl.Decimal(18, 2))
