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

-- What was done on the way is measured where the plan asks for it.
planned_metrics as (
    select distinct metric from targets
),

actuals as (
    select actuals.*
    from {{ ref('int_actuals_rolled_up') }} as actuals
    left join planned_metrics on actuals.metric = planned_metrics.metric
    where actuals.metric in {{ result_metrics() }} or planned_metrics.metric is not null
),

open_deals as (
    select * from {{ ref('int_open_deals_rolled_up') }}
),

nodes as (
    select node_key from {{ ref('int_nodes') }}
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

-- Millions of cells: each side is looked at once.
planned_or_done as (
    select
        coalesce(targets.metric, actuals.metric) as metric,
        coalesce(targets.period_kind, actuals.period_kind) as period_kind,
        coalesce(targets.period_start_on, actuals.period_start_on) as period_start_on,
        coalesce(targets.node_key, actuals.node_key) as node_key,
        targets.plan_version,
        targets.base_hundredths,
        targets.stretch_hundredths,
        targets.derivation as target_derivation,
        targets.is_complete as target_is_complete,
        targets.node_key is not null as is_planned,
        actuals.node_key is not null as is_done,
        actuals.hundredths as done_hundredths
    from targets
    full join actuals
        on targets.metric = actuals.metric
            and targets.period_kind = actuals.period_kind
            and targets.period_start_on = actuals.period_start_on
            and targets.node_key = actuals.node_key
),

cells as (
    select
        coalesce(planned_or_done.metric, open_deals.metric) as metric,
        coalesce(planned_or_done.period_kind, open_deals.period_kind) as period_kind,
        coalesce(planned_or_done.period_start_on, open_deals.period_start_on) as period_start_on,
        coalesce(planned_or_done.node_key, open_deals.node_key) as node_key,
        planned_or_done.plan_version,
        planned_or_done.base_hundredths,
        planned_or_done.stretch_hundredths,
        planned_or_done.target_derivation,
        planned_or_done.target_is_complete,
        coalesce(planned_or_done.is_planned, false) as is_planned,
        coalesce(planned_or_done.is_done, false) as is_done,
        planned_or_done.done_hundredths,
        coalesce(open_deals.open_hundredths, 0) as open_hundredths,
        coalesce(open_deals.open_deals, 0) as open_deals
    from planned_or_done
    full join open_deals
        on planned_or_done.metric = open_deals.metric
            and planned_or_done.period_kind = open_deals.period_kind
            and planned_or_done.period_start_on = open_deals.period_start_on
            and planned_or_done.node_key = open_deals.node_key
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
        cells.plan_version,
        cells.base_hundredths,
        cells.stretch_hundredths,
        cells.target_derivation,
        cells.target_is_complete,
        -- A rate without a denominator is not known, nor is the margin of bookings without a cost.
        case
            when cells.metric in {{ rate_metrics() }} then cells.done_hundredths
            when cells.metric = 'margin' and cells.is_done then cells.done_hundredths
            else coalesce(cells.done_hundredths, 0)
        end as actual_hundredths,
        cells.open_hundredths,
        cells.open_deals
    from cells
    inner join periods
        on cells.period_kind = periods.period_kind
            and cells.period_start_on = periods.period_start_on
    inner join current_year on periods.fiscal_year_start_on <= current_year.period_start_on
    left join nodes on cells.node_key = nodes.node_key
    left join parents on cells.node_key = parents.node_key
    left join nodes as placed on parents.parent_node_key = placed.node_key
    where not (cells.metric = 'margin' and not cells.is_planned and cells.done_hundredths is null)
)

select * from final
