"""Targets as given, by node and period."""

import polars as pl

from schemas.base import Amount, Entity, business_date, money, text


class Target(Entity):
    """One row per plan version, metric, period and node."""

    plan_version: str = text("Version of the plan.", required=True)
    metric: str = text("bookings, won_count, margin, cash or new_customers.", required=True)
    period_kind: str = text("month, quarter, half or year.", required=True, isin=["month", "quarter", "half", "year"])
    period_start_on: pl.Date = business_date("First day of the period.", required=True)
    node_kind: str = text("company, region, team or rep.", required=True, isin=["company", "region", "team", "rep"])
    node_name: str = text("user_id of the rep, or name of the team, region or company.", required=True)
    base: Amount = money("Base target; a count for metrics that count.", required=True, non_negative=True)
    stretch: Amount = money("Stretch target.", non_negative=True)
    currency: str = text("ISO 4217 code; null for counts.", str_matches=r"^[A-Z]{3}$")

    class Config(Entity.Config):
        """Key and freshness."""

        metadata = {
            "key": ("plan_version", "metric", "period_kind", "period_start_on", "node_kind", "node_name"),
            "freshness": None,
        }
