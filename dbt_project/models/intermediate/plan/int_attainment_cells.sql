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
        targets.plan_version,
        targets.base_hundredths,
        targets.stretch_hundredths,
        targets.derivation as target_derivation,
        targets.is_complete as target_is_complete,
        coalesce(actuals.hundredths, 0) as actual_hundredths,
        coalesce(open_deals.open_hundredths, 0) as open_hundredths,
        coalesce(open_deals.open_deals, 0) as open_deals
    from cells
    inner join periods
        on cells.period_kind = periods.period_kind
            and cells.period_start_on = periods.period_start_on
    inner join current_year on periods.fiscal_year_start_on <= current_year.period_start_on
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
    -- The metrics a plan is measured in today; further ones join here once their actuals are built.
    where cells.metric in ('bookings', 'won_count')
)

select * from final
