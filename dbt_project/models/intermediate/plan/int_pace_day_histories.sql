-- Grain: one row per metric × period shown day by day × node whose periods before it are enough for a curve.
with

rules as (
    select * from {{ ref('stg_night__pace_rules') }}
),

shown as (
    select distinct
        period_kind,
        period_start_on
    from {{ ref('int_pace_days') }}
),

-- Only what the period has a target for, and what adds up.
wanted as (
    select distinct
        chosen.metric,
        chosen.period_kind,
        chosen.period_start_on
    from {{ ref('int_plan_versions_chosen') }} as chosen
    inner join shown
        on chosen.period_kind = shown.period_kind
            and chosen.period_start_on = shown.period_start_on
    where chosen.metric not in {{ rate_metrics() }}
),

rolled_up as (
    select * from {{ ref('int_actuals_rolled_up') }}
),

-- What began before the metric was recorded is known in part only.
begun as (
    select
        metric,
        min(period_start_on) as begin_on
    from rolled_up
    where period_kind = 'month'
    group by metric
),

ended as (
    select * from {{ ref('int_periods_progressed') }}
    where is_over and working_days > 0
),

summed as (
    select
        wanted.metric,
        wanted.period_kind,
        wanted.period_start_on,
        rolled_up.node_key,
        cast(sum(rolled_up.hundredths) as decimal(28, 0)) as total_hundredths,
        count(case when rolled_up.n > 0 then 1 end) as n_periods,
        cast(sum(rolled_up.n) as bigint) as n_events
    from wanted
    inner join begun on wanted.metric = begun.metric
    inner join ended
        on wanted.period_kind = ended.period_kind
            and wanted.period_start_on > ended.period_start_on
            and begun.begin_on <= ended.period_start_on
    inner join rolled_up
        on wanted.metric = rolled_up.metric
            and ended.period_kind = rolled_up.period_kind
            and ended.period_start_on = rolled_up.period_start_on
    group by wanted.metric, wanted.period_kind, wanted.period_start_on, rolled_up.node_key
),

final as (
    select
        summed.metric,
        summed.period_kind,
        summed.period_start_on,
        summed.node_key,
        begun.begin_on,
        summed.total_hundredths,
        summed.n_periods,
        summed.n_events
    from summed
    inner join begun on summed.metric = begun.metric
    inner join rules on summed.period_kind = rules.period_kind
    where
        summed.n_periods >= rules.min_periods
        and summed.n_events >= rules.min_events
        and summed.total_hundredths > 0
)

select * from final
