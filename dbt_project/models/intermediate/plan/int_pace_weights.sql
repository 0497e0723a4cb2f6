-- Grain: one row per calendar × day of an ended period × point: the millionths of the day that the point had.
with

days as (
    select * from {{ ref('int_period_days') }}
),

periods as (
    select * from {{ ref('int_calendar_periods') }}
    where is_over and working_days > 0
),

points as (
    select * from {{ ref('int_pace_points') }}
),

-- The point lies so many working days into the period; of the day in which it lies, that day's part counts.
weighted as (
    select
        days.calendar,
        days.day,
        days.period_kind,
        days.period_start_on,
        points.point_no,
        {{ millionths_reached('points.elapsed_share', 'periods.working_days', 'days.working_day_no') }}
            as weight_millionths
    from days
    inner join periods
        on days.calendar = periods.calendar
            and days.period_kind = periods.period_kind
            and days.period_start_on = periods.period_start_on
    inner join points on days.period_kind = points.period_kind
),

final as (
    select * from weighted
    where weight_millionths > 0
)

select * from final
