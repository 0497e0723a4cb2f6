"""What the page of a night reads from the published marts: all queries, and nothing but queries. Read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import PermanentError

Row = dict[str, Any]
REPS_SHOWN = 40
DEVIATIONS_SHOWN = 60
FORECAST_PERIODS = 6

_ATTAINMENT = """
with ranked as (
    select
        attainment.metric,
        attainment.period_kind,
        attainment.period_start_on,
        attainment.node_key,
        nodes.name as node_name,
        nodes.node_kind,
        nodes.level as node_level,
        nodes.path,
        attainment.target_base as target,
        attainment.target_is_complete,
        attainment.actual,
        attainment.attainment,
        attainment.gap,
        attainment.elapsed_share,
        attainment.pace_index,
        attainment.required_run_rate,
        attainment.working_days_remaining,
        attainment.is_calendar_published,
        attainment.forecast_expected,
        attainment.coverage_remaining,
        attainment.previous_as_of_date,
        attainment.actual_previous,
        attainment.pace_index_previous,
        attainment.trend,
        row_number() over (
            partition by attainment.metric, attainment.period_kind, nodes.node_kind
            order by attainment.target_base is null, attainment.gap desc nulls last, nodes.path
        ) as rank_in_kind
    from marts.mart_target_attainment as attainment
    inner join marts.dim_node as nodes
        on attainment.node_key = nodes.node_key
        and nodes.is_current
    where attainment.is_current
)

select *
from ranked
where node_kind <> 'rep' or rank_in_kind <= $reps
order by metric, period_kind, path, node_key
"""

_NODES_HIDDEN = """
select greatest(count(*) - $reps, 0) as hidden
from marts.dim_node
where is_current and node_kind = 'rep'
"""

_FUNNEL = """
select
    stages.stage,
    stages.stage_no,
    stages.name_en,
    stages.name_zh,
    stages.win_probability,
    stages.win_probability_n,
    count(opportunities.opportunity_id) as deals,
    count(opportunities.amount) as deals_with_amount,
    coalesce(sum(opportunities.amount), 0) as amount,
    coalesce(sum(opportunities.weighted_amount), 0) as weighted_amount
from marts.dim_stage as stages
left join marts.fct_opportunity as opportunities
    on stages.stage = opportunities.stage
    and not opportunities.is_closed
where not stages.is_closed
group by all

union all

select
    '(unknown)' as stage,
    null as stage_no,
    'Stage not configured' as name_en,
    '未配置的阶段' as name_zh,
    null as win_probability,
    null as win_probability_n,
    count(*) as deals,
    count(amount) as deals_with_amount,
    coalesce(sum(amount), 0) as amount,
    0 as weighted_amount
from marts.fct_opportunity
where not is_closed and stage not in (select stage from marts.dim_stage)
having count(*) > 0

order by stage_no nulls last
"""

_FORECAST = """
select
    method,
    metric,
    period_kind,
    period_start_on,
    closed_amount,
    open_amount,
    open_weighted_amount,
    open_deals,
    forecast_expected,
    forecast_p10,
    forecast_p90,
    row_number() over (partition by metric, period_kind order by period_start_on) as place
from marts.mart_forecast
where is_published
    and node_key = 'company'
    and period_end_on >= as_of_date
qualify place <= $periods
order by
    metric,
    case period_kind when 'month' then 1 when 'quarter' then 2 when 'half' then 3 else 4 end,
    period_start_on
"""

_DEVIATIONS = """
select
    metric,
    period_kind,
    period_start_on,
    node_key,
    node_name,
    node_kind,
    owner_name,
    severity,
    measured,
    target_base as target,
    actual,
    expected_to_date,
    gap_to_expected,
    required_run_rate,
    working_days_remaining,
    count(*) over () as total
from marts.mart_deviation
where severity <> 'none'
order by severity = 'warn', gap_to_expected desc nulls last, node_key
limit $deviations
"""

_ALERTS = """
select
    state,
    count(*) as alerts
from marts.mart_alert
group by state
order by state
"""

_QUALITY = """
select
    source,
    file,
    entity,
    status,
    message,
    rows_in,
    rows_accepted,
    rows_quarantined,
    rows_merged,
    rows_new,
    rows_changed,
    rows_deleted,
    freshest_on,
    days_since_freshest,
    hours_old,
    fresh_within_hours,
    is_stale,
    rows_set_aside,
    unknown_columns,
    notice_en,
    notice_zh,
    drift_en,
    drift_zh
from marts.mart_data_quality
where is_tonight
order by entity, source, file
"""

_TOTALS = """
select
    count(*) as deals,
    count(*) filter (where is_won) as won,
    count(*) filter (where is_closed and not is_won) as lost,
    count(*) filter (where not is_closed) as open,
    coalesce(sum(amount) filter (where is_won), 0) as won_amount,
    coalesce(sum(amount) filter (where not is_closed), 0) as open_amount
from marts.fct_opportunity
"""


@dataclass(frozen=True)
class Findings:
    """What the marts of one night say, as far as the page shows it. Rows are dicts by column.

    Attributes:
        attainment: metric × current period × node; all companies, regions and teams, and the reps that miss most.
        reps_hidden: reps that are not shown.
        funnel: open stages in order, with the deals that stand there; at last, if any, those in no configured one.
        forecast: the company's running and next periods by the published method.
        deviations: tonight's rows off course, the worst first; ``total`` counts those not shown as well.
        alerts: alerts by state, as the night began.
        quality: tonight's input files.
        totals: one row over all deals.
    """

    attainment: Sequence[Row]
    reps_hidden: int
    funnel: Sequence[Row]
    forecast: Sequence[Row]
    deviations: Sequence[Row]
    alerts: Sequence[Row]
    quality: Sequence[Row]
    totals: Row


def read_findings(marts: Path) -> Findings:
    """Read the page's figures from a published DuckDB file.

    Raises:
        PermanentError: the file lacks a table or column that the page shows.
    """
    with duckdb.connect(str(marts), read_only=True) as connection:

        def rows(query: str, **parameters: int) -> list[Row]:
            result = connection.execute(query, parameters)
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        try:
            return Findings(
                attainment=rows(_ATTAINMENT, reps=REPS_SHOWN),
                reps_hidden=rows(_NODES_HIDDEN, reps=REPS_SHOWN)[0]["hidden"],
                funnel=rows(_FUNNEL),
                forecast=rows(_FORECAST, periods=FORECAST_PERIODS),
                deviations=rows(_DEVIATIONS, deviations=DEVIATIONS_SHOWN),
                alerts=rows(_ALERTS),
                quality=rows(_QUALITY),
                totals=rows(_TOTALS)[0],
            )
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise PermanentError(
                f"Expected the published marts that the report reads in {marts}, found: {error}. "
                "Rebuild the night with this version of planloop."
            ) from error
