"""What the company's configuration says about calendar and money, as an allocation needs it."""

from datetime import date
from pathlib import Path

from flows.config import Config
from flows.planning.allocation.allocate import Setting
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.history import History
from flows.warehouse.calendar import working_day_calendar


def setting_of(config: Config, history: History, marts: Path | None) -> Setting:
    """The setting of a company's plans.

    Its calendar covers the fiscal years of all of them, and the year before: what sells in January began earlier.

    Args:
        config: of the company.
        history: results up to the night.
        marts: the database whose funnel activity targets are derived through; None where there is none yet.
    """
    settings, fiscal = config.settings, config.settings.fiscal
    years = [plan.year for plan in config.plans]
    first = fiscal.periods(min(years) - 1, "year")[0].start_on
    last = fiscal.periods(max(years), "year")[0].end_on
    calendar = working_day_calendar(
        first,
        last,
        settings.calendar.country,
        subdivision=settings.calendar.subdivision,
        working_days=config.calendar.working_days,
        holidays_off=config.calendar.holidays,
    )
    days = WorkingDays.of(first, calendar["is_working_day"])
    working: tuple[date, ...] = tuple(calendar.filter("is_working_day")["day"])
    return Setting(fiscal, settings.reporting_currency, history, days, working_days=working, marts=marts)
