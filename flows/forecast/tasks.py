"""The edge of the forecast: the candidate in, tonight's forecast out."""

from typing import Any

from flows.forecast.night import forecast_night
from flows.operate.night import Night
from flows.operate.tasks import show_table, stage_task
from flows.warehouse.inputs import run_of


@stage_task("forecast")
def forecast(night: Night) -> dict[str, Any]:
    """Forecast every period and node by every method."""
    return night.stage("forecast", lambda: _forecast(night))


def _forecast(night: Night) -> dict[str, Any]:
    settings = night.config.settings
    frame = forecast_night(
        night.workspace,
        run_of(settings, night.as_of, night.run_id),
        memory_limit=settings.engine.memory_limit,
        threads=settings.engine.threads,
    )
    company = frame.filter(node_key="company").select(
        "method", "period_kind", "period_start_on", "closed_amount", "open_amount", "expected_amount"
    )
    rows = [{name: str(value) for name, value in row.items()} for row in company.to_dicts()]
    show_table("forecast", rows, "The company's forecast by method and period")
    return {"rows": frame.height}
