"""Tonight's deviations as the published marts state them: the one query, and the record it fills."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from flows.config.fiscal import PeriodKind
from flows.errors import PermanentError

# Grain: one rule x node x period that contains the as-of date, or that is over and still has an open alert.
# The latter tell how the period ended; its days have all passed, so that its pace is its attainment.
_QUERY = """
select
    as_of_date,
    rule_id,
    metric,
    node_key,
    node_name,
    node_kind,
    period_kind,
    period_start_on,
    measured,
    expected,
    severity,
    is_clear,
    target_base as target_amount,
    actual as actual_amount,
    expected_to_date as expected_to_date_amount,
    gap_to_expected as behind_amount,
    gap as left_amount,
    required_run_rate as needed_per_day,
    working_days_remaining,
    is_calendar_published,
    owner_name,
    owner_email,
    owner_language
from marts.mart_deviation

union all

select
    attainment.as_of_date,
    alerts.rule_id,
    alerts.metric,
    alerts.node_key,
    nodes.name as node_name,
    nodes.node_kind,
    alerts.period_kind,
    alerts.period_start_on,
    attainment.pace_index as measured,
    alerts.expected,
    'none' as severity,
    false as is_clear,
    attainment.target_base as target_amount,
    attainment.actual as actual_amount,
    attainment.expected_to_date as expected_to_date_amount,
    attainment.expected_to_date - attainment.actual as behind_amount,
    attainment.gap as left_amount,
    attainment.required_run_rate as needed_per_day,
    attainment.working_days_remaining,
    attainment.is_calendar_published,
    nodes.owner_name,
    nodes.owner_email,
    nodes.owner_language
from marts.mart_alert as alerts
inner join marts.mart_target_attainment as attainment
    on alerts.metric = attainment.metric
    and alerts.node_key = attainment.node_key
    and alerts.period_kind = attainment.period_kind
    and alerts.period_start_on = attainment.period_start_on
inner join marts.dim_node as nodes
    on alerts.node_key = nodes.node_key
    and nodes.is_current
where alerts.state = 'open'
    and attainment.period_end_on < attainment.as_of_date

order by rule_id, metric, node_key, period_kind, period_start_on
"""


@dataclass(frozen=True)
class Deviation:
    """One rule measured at one node in one period, as of one night.

    Attributes:
        measured: what the rule looks at (pace index); None where it cannot be measured.
        expected: what it would be on plan.
        severity: none, warn or critical.
        is_clear: above the rule's ``clear_above``; only this ends an open alert.
        behind_amount: expected to date less actual; below 0 where the node is ahead.
        left_amount: target less actual (METRICS ``gap``); below 0 once the target is passed.
        is_calendar_published: whether the country has announced the working days that the pace counts.
        needed_per_day: what each remaining working day has to bring (METRICS ``required_run_rate``).
    """

    as_of_date: date
    rule_id: str
    metric: str
    node_key: str
    node_name: str
    node_kind: str
    period_kind: PeriodKind
    period_start_on: date
    measured: float | None
    expected: float | None
    severity: str
    is_clear: bool
    target_amount: Decimal | None
    actual_amount: Decimal | None
    expected_to_date_amount: Decimal | None
    behind_amount: Decimal | None
    left_amount: Decimal | None
    needed_per_day: Decimal | None
    working_days_remaining: int
    is_calendar_published: bool
    owner_name: str | None
    owner_email: str | None
    owner_language: str | None

    @property
    def subject_key(self) -> tuple[str, str, str, str, date]:
        """What an alert is about: at most one open alert has it."""
        return (self.rule_id, self.metric, self.node_key, self.period_kind, self.period_start_on)


def read_deviations(marts: Path) -> list[Deviation]:
    """Deviations of the night that ``marts`` (a published or candidate DuckDB file) was built for.

    Among them, for alerts that outlived their period, how that period ended: severity none, not clear.

    Raises:
        PermanentError: the file lacks a table or column that the alerts read.
    """
    with duckdb.connect(str(marts), read_only=True) as connection:
        try:
            relation = connection.execute(_QUERY)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise PermanentError(
                f"Expected the marts and columns that alerts read in {marts}, found: {error}. "
                "Rebuild the night with this version of planloop."
            ) from error
        names = [column[0] for column in relation.description or []]
        return [Deviation(**dict(zip(names, row, strict=True))) for row in relation.fetchall()]
