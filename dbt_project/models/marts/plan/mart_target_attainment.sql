-- Grain: one row per metric × period × node with a target, an actual or an open deal, on the as-of date.
{% set still_apart = 0.01 %}
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

previous as (
    select * from {{ ref('int_previous_night') }}
),

calendars as (
    select * from {{ ref('int_node_calendars') }}
),

periods as (
    select * from {{ ref('int_calendar_periods') }}
),

cells as (
    select * from {{ ref('int_attainment_cells') }}
),

since as (
    select * from {{ ref('int_actuals_since_previous') }}
),

shares as (
    select * from {{ ref('int_pace_shares') }}
),

required as (
    select * from {{ ref('int_coverage_required') }}
),

-- One method is published for each metric and period; which, is decided where the forecast is made.
forecasts as (
    select * from {{ ref('mart_forecast') }}
    where is_published
),

progressed as (
    select
        cells.*,
        calendars.calendar,
        periods.period_end_on,
        periods.working_days,
        periods.working_days_passed,
        periods.working_days_remaining,
        periods.elapsed_share,
        periods.elapsed_share_before,
        periods.calendar_share,
        periods.is_current,
        periods.is_calendar_published,
        previous.previous_as_of_date,
        cells.base_hundredths - cells.actual_hundredths as gap_hundredths,
        cells.stretch_hundredths - cells.actual_hundredths as gap_stretch_hundredths,
        -- A plan that states only a part of the period says nothing about the pace of the whole, nor what a day needs.
        -- A rate has no pace: half of it is not due at half time.
        case when cells.target_is_complete and cells.unit <> 'percent' then cells.base_hundredths end
            as paced_hundredths,
        case when cells.target_is_complete and cells.unit <> 'percent' then cells.stretch_hundredths end
            as paced_stretch_hundredths,
        case
            when periods.is_current and previous.previous_as_of_date >= periods.period_start_on
                and cells.unit <> 'percent'
                then cells.actual_hundredths - coalesce(since.hundredths, 0)
        end as previous_hundredths
    from cells
    cross join previous
    inner join calendars on cells.placed_node_key = calendars.node_key
    inner join periods
        on calendars.calendar = periods.calendar
            and cells.period_kind = periods.period_kind
            and cells.period_start_on = periods.period_start_on
    left join since
        on cells.metric = since.metric
            and cells.period_kind = since.period_kind
            and cells.period_start_on = since.period_start_on
            and cells.node_key = since.node_key
),

-- The share that past periods had by the same working day, else the share of working days. All of an ended period.
curved as (
    select
        progressed.*,
        case
            when progressed.unit = 'percent' then 'rate'
            when progressed.is_current and tonight.pace_node_key is not null then 'history'
            else 'working_day'
        end as pace_basis,
        case when progressed.is_current then tonight.pace_node_key end as pace_node_key,
        case when progressed.is_current then tonight.n_periods end as pace_n_periods,
        case
            when progressed.unit = 'percent' then null
            when progressed.is_current then coalesce(tonight.linear_share, progressed.elapsed_share)
            else progressed.elapsed_share
        end as linear_share,
        coalesce(before.linear_share, progressed.elapsed_share_before) as linear_share_before
    from progressed
    left join shares as tonight
        on progressed.metric = tonight.metric
            and progressed.period_kind = tonight.period_kind
            and progressed.elapsed_share = tonight.elapsed_share
            and progressed.placed_node_key = tonight.node_key
    left join shares as before
        on progressed.metric = before.metric
            and progressed.period_kind = before.period_kind
            and progressed.elapsed_share_before = before.elapsed_share
            and progressed.placed_node_key = before.node_key
),

measured as (
    select
        *,
        {{ ratio('actual_hundredths', 'base_hundredths') }} as attainment,
        {{ ratio('actual_hundredths', 'stretch_hundredths') }} as attainment_stretch,
        {{ ratio('actual_hundredths', 'paced_hundredths * linear_share') }} as pace_index,
        {{ ratio('actual_hundredths', 'paced_hundredths * calendar_share') }} as pace_index_calendar,
        {{ ratio('previous_hundredths', 'paced_hundredths * linear_share_before') }} as pace_index_previous,
        cast(round(paced_hundredths * linear_share, 0) as bigint) as expected_hundredths,
        {{ ratio(not_negative('paced_hundredths - actual_hundredths'), 'working_days_remaining') }}
            as required_hundredths,
        {{ ratio(not_negative('paced_stretch_hundredths - actual_hundredths'), 'working_days_remaining') }}
            as required_stretch_hundredths,
        case when gap_hundredths > 0 and metric in ('bookings', 'won_count')
                then {{ ratio('open_hundredths', 'gap_hundredths') }}
        end as coverage_remaining,
        case when metric in ('bookings', 'won_count') then {{ ratio('open_hundredths', 'base_hundredths') }} end
            as coverage_total
    from curved
),

final as (
    select
        measured.metric,
        measured.unit,
        measured.period_kind,
        measured.period_start_on,
        measured.period_end_on,
        measured.node_key,
        measured.is_node_known,
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
        {{ cents_to_amount('measured.gap_stretch_hundredths') }} as gap_stretch,
        measured.calendar,
        measured.working_days,
        measured.working_days_passed,
        measured.working_days_remaining,
        measured.is_calendar_published,
        measured.elapsed_share,
        measured.pace_basis,
        measured.pace_node_key,
        measured.pace_n_periods,
        measured.linear_share,
        {{ cents_to_amount('measured.expected_hundredths') }} as expected_to_date,
        measured.pace_index,
        measured.pace_index_calendar,
        {{ cents_to_amount('measured.required_hundredths') }} as required_run_rate,
        {{ cents_to_amount('measured.required_stretch_hundredths') }} as required_run_rate_stretch,
        {{ cents_to_amount('measured.open_hundredths') }} as open_amount,
        measured.open_deals,
        measured.coverage_remaining,
        measured.coverage_total,
        case when measured.is_current then required.coverage_required end as coverage_required,
        case when measured.is_current then required.n_deals end as coverage_required_n,
        case when measured.is_current then measured.previous_as_of_date end as previous_as_of_date,
        {{ cents_to_amount('measured.previous_hundredths') }} as actual_previous,
        measured.pace_index_previous,
        case
            when measured.pace_index is null or measured.pace_index_previous is null then null
            when measured.pace_index > measured.pace_index_previous + {{ still_apart }} then 'up'
            when measured.pace_index < measured.pace_index_previous - {{ still_apart }} then 'down'
            else 'flat'
        end as trend,
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
    left join required
        on measured.metric = required.metric
            and measured.period_kind = required.period_kind
            and measured.node_key = required.node_key
    left join forecasts
        on measured.metric = forecasts.metric
            and measured.period_kind = forecasts.period_kind
            and measured.period_start_on = forecasts.period_start_on
            and measured.node_key = forecasts.node_key
)

select * from final
