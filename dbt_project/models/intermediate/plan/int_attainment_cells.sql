-- Grain: one row per metric × period × node with a target, an actual or an open deal, to the end of the fiscal year.
with

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

current_year as (
    select * from periods
    where period_kind = 'year' and is_current
),

chosen as (
    select * from {{ ref('int_plan_versions_chosen') }}
),

planned as (
    select * from {{ ref('int_targets_planned') }}
),

targets as (
    select planned.*
    from planned
    inner join chosen
        on planned.plan_version = chosen.plan_version
            and planned.metric = chosen.metric
            and planned.period_kind = chosen.period_kind
            and planned.period_start_on = chosen.period_start_on
),

actuals as (
    select * from {{ ref('int_actuals_rolled_up') }}
),

open_deals as (
    select * from {{ ref('int_open_deals_rolled_up') }}
),

nodes as (
    select node_key from {{ ref('int_nodes') }}
),

-- What was done on the way is measured where the plan asks for it.
planned_metrics as (
    select distinct metric from targets
),

-- Who is not in the CRM yet works, and is compared, as those do under whom they will be.
parents as (
    select
        node_key,
        min(parent_node_key) as parent_node_key
    from targets
    where not is_node_known
    group by node_key
),

cells as (
    select
        metric,
        period_kind,
        period_start_on,
        node_key
    from targets

    union

    select
        metric,
        period_kind,
        period_start_on,
        node_key
    from actuals

    union

    select
        metric,
        period_kind,
        period_start_on,
        node_key
    from open_deals
),

final as (
    select
        cells.metric,
        cells.period_kind,
        cells.period_start_on,
        cells.node_key,
        case
            when nodes.node_key is not null then cells.node_key
            when placed.node_key is not null then parents.parent_node_key
            else 'company'
        end as placed_node_key,
        nodes.node_key is not null as is_node_known,
        {{ metric_unit('cells.metric') }} as unit,
        targets.plan_version,
        targets.base_hundredths,
        targets.stretch_hundredths,
        targets.derivation as target_derivation,
        targets.is_complete as target_is_complete,
        -- A rate without a denominator is not known, nor is the margin of bookings without a cost.
        case
            when cells.metric in {{ rate_metrics() }} then actuals.hundredths
            when cells.metric = 'margin' and actuals.node_key is not null then actuals.hundredths
            else coalesce(actuals.hundredths, 0)
        end as actual_hundredths,
        coalesce(open_deals.open_hundredths, 0) as open_hundredths,
        coalesce(open_deals.open_deals, 0) as open_deals
    from cells
    inner join periods
        on cells.period_kind = periods.period_kind
            and cells.period_start_on = periods.period_start_on
    inner join current_year on periods.fiscal_year_start_on <= current_year.period_start_on
    left join nodes on cells.node_key = nodes.node_key
    left join parents on cells.node_key = parents.node_key
    left join nodes as placed on parents.parent_node_key = placed.node_key
    left join planned_metrics on cells.metric = planned_metrics.metric
    left join targets
        on cells.metric = targets.metric
            and cells.period_kind = targets.period_kind
            and cells.period_start_on = targets.period_start_on
            and cells.node_key = targets.node_key
    left join actuals
        on cells.metric = actuals.metric
            and cells.period_kind = actuals.period_kind
            and cells.period_start_on = actuals.period_start_on
            and cells.node_key = actuals.node_key
    left join open_deals
        on cells.metric = open_deals.metric
            and cells.period_kind = open_deals.period_kind
            and cells.period_start_on = open_deals.period_start_on
            and cells.node_key = open_deals.node_key
    where
        (cells.metric in {{ result_metrics() }} or planned_metrics.metric is not null)
        and not (cells.metric = 'margin' and targets.node_key is null and actuals.hundredths is null)
)

select * from final
