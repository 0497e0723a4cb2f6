-- Grain: one row per calendar × day of an ended period × point: the millionths of the day that the point had.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}
with

days as (
    select * from {{ ref('stg_night__calendar_days') }}
),

periods as (
    select * from {{ ref('int_calendar_periods') }}
    where is_over and working_days > 0
),

points as (
    select * from {{ ref('int_pace_points') }}
),

-- A day that is not worked belongs to the working day before it.
numbered as (
    {% for kind in kinds %}
        select
            calendar,
            day,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            sum(case when is_working_day then 1 else 0 end) over (
                partition by calendar, {{ kind }}_start_on
                order by day
                rows between unbounded preceding and current row
            ) as working_day_no
        from days
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- The point lies so many working days into the period; of the day in which it lies, that day's part counts.
weighted as (
    select
        numbered.calendar,
        numbered.day,
        numbered.period_kind,
        numbered.period_start_on,
        points.point_no,
        cast(
            round(
                1000000 * greatest(
                    least(points.elapsed_share * periods.working_days + 1 - numbered.working_day_no, 1), 0
                ),
                0
            ) as integer
        ) as weight_millionths
    from numbered
    inner join periods
        on numbered.calendar = periods.calendar
            and numbered.period_kind = periods.period_kind
            and numbered.period_start_on = periods.period_start_on
    inner join points on numbered.period_kind = points.period_kind
),

final as (
    select * from weighted
    where weight_millionths > 0
)

select * from final
