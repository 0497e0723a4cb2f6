-- Grain: one day of the company's calendar.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}

with placed as (

    select
        *,
        case when is_working_day then 1 else 0 end as working_day_unit
    from {{ ref('stg_night__calendar_days') }}
    where is_company

),

counted as (

    select
        placed.*,
        {% for kind in kinds -%}
            {{ working_day_counts(kind) }}{{ ',' if not loop.last }}
        {% endfor %}
    from placed

),

-- What is not known whole has no positions: the calendar may begin or end within a period.
final as (

    select
        day,
        is_working_day,
        is_adjusted,
        is_published,
        holiday_name,
        {% for kind in kinds -%}
            {{ kind }}_start_on,
            {{ kind }}_end_on,
            {{ if_whole_period(kind, kind ~ '_working_days_passed') }},
            {{ if_whole_period(kind, kind ~ '_working_days') }},
        {% endfor -%}
        fiscal_year,
        fiscal_half,
        fiscal_quarter,
        fiscal_month
    from counted

)

select * from final
