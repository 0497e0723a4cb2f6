-- Grain: one row per calendar × kind of period × day that the pace is shown of: how much had passed by then.
with

runs as (
    select as_of_date from {{ ref('stg_night__run') }}
),

rules as (
    select * from {{ ref('stg_night__pace_rules') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

-- Of a period that the calendar does not hold whole, nothing is known.
periods as (
    select * from {{ ref('int_calendar_periods') }}
    where working_days > 0
),

final as (
    select
        days.calendar,
        days.period_kind,
        days.period_start_on,
        periods.period_end_on,
        days.day,
        days.is_working_day,
        periods.working_days,
        cast(days.working_day_no as bigint) as working_days_passed,
        {{ ratio('days.working_day_no', 'periods.working_days') }} as elapsed_share,
        {{ ratio(
            days_between('days.period_start_on', 'days.day') ~ ' + 1',
            days_between('days.period_start_on', 'periods.period_end_on') ~ ' + 1'
        ) }} as calendar_share
    from days
    cross join runs
    inner join rules on days.period_kind = rules.period_kind
    inner join periods
        on days.calendar = periods.calendar
            and days.period_kind = periods.period_kind
            and days.period_start_on = periods.period_start_on
    where
        days.day <= runs.as_of_date
        and {{ days_between('days.day', 'runs.as_of_date') }} < rules.daily_days
)

select * from final
