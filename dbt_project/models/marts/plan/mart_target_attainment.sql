-- Grain: one row per metric × period × node with a target, an actual or an open deal, on the as-of date.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

cells as (
    select * from {{ ref('int_attainment_cells') }}
),

-- One method is published for each metric and period; which, is decided where the forecast is made.
forecasts as (
    select * from {{ ref('mart_forecast') }}
    where is_published
),

progressed as (
    select
        cells.*,
        periods.period_end_on,
        periods.working_days,
        periods.working_days_passed,
        periods.working_days_remaining,
        periods.elapsed_share,
        periods.is_current,
        periods.is_calendar_published,
        cells.base_hundredths - cells.actual_hundredths as gap_hundredths,
        -- A plan that states only a part of the period says nothing about the pace of the whole, nor what a day needs.
        case when cells.target_is_complete and periods.working_days > 0
                then cells.base_hundredths * periods.working_days_passed
        end as due_hundredth_days
    from cells
    inner join periods
        on cells.period_kind = periods.period_kind
            and cells.period_start_on = periods.period_start_on
),

measured as (
    select
        *,
        {{ ratio('actual_hundredths', 'base_hundredths') }} as attainment,
        {{ ratio('actual_hundredths', 'stretch_hundredths') }} as attainment_stretch,
        {{ ratio('actual_hundredths * working_days', 'due_hundredth_days') }} as pace_index,
        {{ ratio('due_hundredth_days', 'working_days') }} as expected_hundredths,
        case
            when target_is_complete then {{ ratio('greatest(gap_hundredths, 0)', 'working_days_remaining') }}
        end as required_hundredths,
        case when gap_hundredths > 0 then {{ ratio('open_hundredths', 'gap_hundredths') }} end as coverage_remaining,
        {{ ratio('open_hundredths', 'base_hundredths') }} as coverage_total
    from progressed
),

final as (
    select
        measured.metric,
        measured.period_kind,
        measured.period_start_on,
        measured.period_end_on,
        measured.node_key,
        measured.plan_version,
        measured.is_current,
        {{ cents_to_amount('measured.base_hundredths') }} as target_base,
        {{ cents_to_amount('measured.stretch_hundredths') }} as target_stretch,
        measured.target_derivation,
        measured.target_is_complete,
        {{ cents_to_amount('measured.actual_hundredths') }} as actual,
        measured.attainment,
        measured.attainment_stretch,
        {{ cents_to_amount('measured.gap_hundredths') }} as gap,
        measured.working_days,
        measured.working_days_passed,
        measured.working_days_remaining,
        measured.is_calendar_published,
        measured.elapsed_share,
        'working_day' as pace_basis,
        {{ cents_to_amount('measured.expected_hundredths') }} as expected_to_date,
        measured.pace_index,
        {{ cents_to_amount('measured.required_hundredths') }} as required_run_rate,
        {{ cents_to_amount('measured.open_hundredths') }} as open_amount,
        measured.open_deals,
        measured.coverage_remaining,
        measured.coverage_total,
        forecasts.method as forecast_method,
        forecasts.forecast_expected,
        forecasts.forecast_p10,
        forecasts.forecast_p50,
        forecasts.forecast_p90,
        cast(null as double) as p_hit,
        runs.as_of_date,
        runs.run_id
    from measured
    cross join runs
    left join forecasts
        on measured.metric = forecasts.metric
            and measured.period_kind = forecasts.period_kind
            and measured.period_start_on = forecasts.period_start_on
            and measured.node_key = forecasts.node_key
)

select * from final
