-- Grain: one calendar and fiscal month, quarter, half or year of it.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

previous as (

    select previous_as_of_date from {{ ref('int_previous_night') }}

),

days as (

    select * from {{ ref('stg_night__calendar_days') }}

),

day_periods as (

    {% for kind, number in [
        ('month', 'fiscal_month'), ('quarter', 'fiscal_quarter'), ('half', 'fiscal_half'), ('year', '1')
    ] %}
        select
            calendar,
            is_company,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            {{ kind }}_end_on as period_end_on,
            year_start_on as fiscal_year_start_on,
            fiscal_year,
            {{ number }} as period_no,
            day,
            case when is_working_day then 1 else 0 end as working_day_unit,
            case when is_published then 1 else 0 end as published_unit
        from days
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

counted as (

    select
        day_periods.calendar,
        day_periods.is_company,
        day_periods.period_kind,
        day_periods.period_start_on,
        day_periods.period_end_on,
        day_periods.fiscal_year_start_on,
        day_periods.fiscal_year,
        day_periods.period_no,
        run.as_of_date,
        previous.previous_as_of_date,
        {{ days_between('day_periods.period_start_on', 'day_periods.period_end_on') }} + 1 as days,
        count(*) as days_known,
        cast(sum(day_periods.working_day_unit) as bigint) as working_days,
        cast(sum(case when day_periods.day <= run.as_of_date then day_periods.working_day_unit else 0 end) as bigint)
            as working_days_passed,
        cast(
            sum(case when day_periods.day <= previous.previous_as_of_date then day_periods.working_day_unit else 0 end)
            as bigint
        ) as working_days_passed_before,
        min(day_periods.published_unit) = 1 as is_calendar_published
    from day_periods
    cross join run
    cross join previous
    group by
        day_periods.calendar,
        day_periods.is_company,
        day_periods.period_kind,
        day_periods.period_start_on,
        day_periods.period_end_on,
        day_periods.fiscal_year_start_on,
        day_periods.fiscal_year,
        day_periods.period_no,
        run.as_of_date,
        previous.previous_as_of_date

),

-- Of a period that the calendar cuts at its edge, the working days are not known.
known as (

    select
        *,
        case when days_known = days then working_days end as known_days,
        case when days_known = days then working_days_passed end as known_days_passed,
        case when days_known = days and previous_as_of_date >= period_start_on then working_days_passed_before end
            as known_days_passed_before,
        greatest(least({{ days_between('period_start_on', 'as_of_date') }} + 1, days), 0) as days_passed
    from counted

),

final as (

    select
        calendar,
        is_company,
        period_kind,
        period_start_on,
        period_end_on,
        fiscal_year_start_on,
        fiscal_year,
        period_no,
        known_days as working_days,
        known_days_passed as working_days_passed,
        known_days - known_days_passed as working_days_remaining,
        {{ ratio('known_days_passed', 'known_days') }} as elapsed_share,
        {{ ratio('known_days_passed_before', 'known_days') }} as elapsed_share_before,
        {{ ratio('days_passed', 'days') }} as calendar_share,
        is_calendar_published,
        as_of_date between period_start_on and period_end_on as is_current,
        period_start_on <= as_of_date as has_begun,
        period_end_on <= as_of_date as is_over
    from known

)

select * from final
