-- Grain: one row per result metric × period × node, from the node's first event or target to the as-of date.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

results as (
    select * from {{ ref('int_result_metrics_measured') }}
),

targets as (
    select * from {{ ref('mart_target') }}
    where is_measured_against
),

records as (
    select min(period_start_on) as begin_on
    from {{ ref('int_actuals_rolled_up') }}
    -- The metrics of a review: leads and visits may have been recorded from another day on.
    where period_kind = 'month' and metric in ('bookings', 'won_count', 'lost_count', 'created_count')
),

compared as (
    select
        results.*,
        periods.period_end_on,
        periods.is_over,
        -- What began before the records did is known in part only.
        periods.prior_period_start_on >= records.begin_on as is_prior_whole,
        periods.last_year_period_start_on >= records.begin_on as is_last_year_whole,
        targets.plan_version,
        targets.target_base,
        targets.target_stretch,
        targets.is_complete as target_is_complete,
        previous.actual as prior_actual,
        previous.n as prior_n,
        {{ growth('results', 'previous') }} as grown_prior,
        year_ago.actual as last_year_actual,
        year_ago.n as last_year_n,
        {{ growth('results', 'year_ago') }} as grown_last_year
    from results
    inner join periods
        on results.period_kind = periods.period_kind
            and results.period_start_on = periods.period_start_on
    cross join records
    left join targets
        on results.metric = targets.metric
            and results.period_kind = targets.period_kind
            and results.period_start_on = targets.period_start_on
            and results.node_key = targets.node_key
    left join results as previous
        on results.metric = previous.metric
            and results.period_kind = previous.period_kind
            and periods.prior_period_start_on = previous.period_start_on
            and results.node_key = previous.node_key
    left join results as year_ago
        on results.metric = year_ago.metric
            and results.period_kind = year_ago.period_kind
            and periods.last_year_period_start_on = year_ago.period_start_on
            and results.node_key = year_ago.node_key
),

subtracted as (
    select
        *,
        target_base - actual as gap,
        -- Only whole periods are set against each other.
        case when is_over and is_prior_whole then actual - prior_actual end as delta_prior,
        case when is_over and is_last_year_whole then actual - last_year_actual end as delta_last_year
    from compared
),

final as (
    select
        subtracted.metric,
        subtracted.period_kind,
        subtracted.period_start_on,
        subtracted.period_end_on,
        subtracted.is_over,
        subtracted.node_key,
        subtracted.plan_version,
        subtracted.target_base,
        subtracted.target_stretch,
        subtracted.target_is_complete,
        subtracted.actual,
        subtracted.n,
        {{ ratio('subtracted.actual', 'subtracted.target_base') }} as attainment,
        cast(subtracted.gap as decimal(24, 6)) as gap,
        subtracted.prior_actual,
        subtracted.prior_n,
        cast(subtracted.delta_prior as decimal(24, 6)) as delta_prior,
        case when subtracted.is_over and subtracted.is_prior_whole then subtracted.grown_prior end as growth_prior,
        subtracted.last_year_actual,
        subtracted.last_year_n,
        cast(subtracted.delta_last_year as decimal(24, 6)) as delta_last_year,
        case when subtracted.is_over and subtracted.is_last_year_whole then subtracted.grown_last_year end
            as growth_last_year,
        runs.as_of_date,
        runs.run_id
    from subtracted
    cross join runs
)

select * from final
