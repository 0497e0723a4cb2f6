"""What the company's configuration says about calendar and money, as an allocation needs it."""

from datetime import date
from pathlib import Path

import polars as pl

from flows.config import Config
from flows.planning.allocation.allocate import Setting
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.history import History
from flows.warehouse.calendars import calendars_of


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
    company = calendars_of(config)[0].between(first, last)
    days, node_days = working_days(config, first, last)
    working: tuple[date, ...] = tuple(company.filter("is_working_day")["day"])
    unannounced = {
        (calendar.name, year)
        for calendar in calendars_of(config)
        for year in calendar.between(first, last).filter(~pl.col("is_published"))["day"].dt.year().unique()
    }
    currency = settings.reporting_currency
    return Setting(fiscal, currency, history, days, node_days, working, marts, frozenset(unannounced))


def working_days(config: Config, first: date, last: date) -> tuple[WorkingDays, dict[str, WorkingDays]]:
    """Working days of the company, and of its nodes that work by a calendar of their own."""
    calendars = calendars_of(config)
    counted = [WorkingDays.of(first, one.between(first, last)["is_working_day"]) for one in calendars]
    by_node = {node: days for one, days in zip(calendars, counted, strict=True) for node in one.nodes}
    return counted[0], by_node
