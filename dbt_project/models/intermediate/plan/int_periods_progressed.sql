-- Grain: one row per month, quarter and fiscal year of the calendar.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

day_periods as (
    {% for kind in ['month', 'quarter', 'year'] %}
        select
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            {{ kind }}_end_on as period_end_on,
            year_start_on as fiscal_year_start_on,
            day,
            case when is_working_day then 1 else 0 end as working_day_unit,
            case when is_published then 1 else 0 end as published_unit
        from dates
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

counted as (
    select
        day_periods.period_kind,
        day_periods.period_start_on,
        day_periods.period_end_on,
        day_periods.fiscal_year_start_on,
        runs.as_of_date,
        count(*) = {{ days_between('day_periods.period_start_on', 'day_periods.period_end_on') }} + 1 as is_whole,
        cast(sum(day_periods.working_day_unit) as bigint) as working_days,
        cast(sum(case when day_periods.day <= runs.as_of_date then day_periods.working_day_unit else 0 end) as bigint)
            as working_days_passed,
        min(day_periods.published_unit) = 1 as is_calendar_published
    from day_periods
    cross join runs
    group by
        day_periods.period_kind,
        day_periods.period_start_on,
        day_periods.period_end_on,
        day_periods.fiscal_year_start_on,
        runs.as_of_date
),

-- Of a fiscal year that the calendar cuts at its edge, the working days are not known.
progressed as (
    select
        *,
        case when is_whole then working_days end as known_days,
        case when is_whole then working_days_passed end as known_days_passed
    from counted
),

{% set in_order = 'over (partition by period_kind order by period_start_on)' %}
final as (
    select
        period_kind,
        period_start_on,
        period_end_on,
        fiscal_year_start_on,
        known_days as working_days,
        known_days_passed as working_days_passed,
        known_days - known_days_passed as working_days_remaining,
        {{ ratio('known_days_passed', 'known_days') }} as elapsed_share,
        is_calendar_published,
        as_of_date between period_start_on and period_end_on as is_current,
        period_start_on <= as_of_date as has_begun,
        period_end_on <= as_of_date as is_over,
        lag(period_start_on, 1) {{ in_order }} as prior_period_start_on,
        case period_kind
            when 'month' then lag(period_start_on, 12) {{ in_order }}
            when 'quarter' then lag(period_start_on, 4) {{ in_order }}
            when 'year' then lag(period_start_on, 1) {{ in_order }}
        end as last_year_period_start_on
    from progressed
)

select * from final
