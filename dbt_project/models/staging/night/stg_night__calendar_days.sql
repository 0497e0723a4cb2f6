-- Grain: one calendar and day.

with source as (

    select * from {{ source('night', 'calendar') }}

),

final as (

    select
        calendar,
        is_company,
        day,
        is_working_day,
        is_adjusted,
        is_published,
        holiday_name,
        {% for kind in ['month', 'quarter', 'half', 'year'] -%}
            {{ kind }}_start_on,
            {{ kind }}_end_on,
        {% endfor -%}
        fiscal_year,
        fiscal_half,
        fiscal_quarter,
        fiscal_month
    from source

)

select * from final
