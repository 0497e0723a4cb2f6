-- Grain: one day of the company's calendar.

with run as (

    select * from {{ ref('stg_night__run') }}

),

days as (

    select * from {{ ref('stg_night__calendar_days') }}

),

placed as (

    select
        days.day,
        days.is_working_day,
        days.is_adjusted,
        days.is_published,
        days.holiday_name,
        {{ month_start('days.day') }} as month_start_on,
        {{ quarter_start('days.day', 'run.fiscal_year_start_month') }} as quarter_start_on,
        {{ year_start('days.day', 'run.fiscal_year_start_month') }} as year_start_on,
        {{ months_into_year('days.day', 'run.fiscal_year_start_month') }} as months_into_year,
        case when days.is_working_day then 1 else 0 end as working_day_unit
    from days
    cross join run

),

counted as (

    select
        placed.*,
        {{ working_day_counts('month', 1) }},
        {{ working_day_counts('quarter', 3) }},
        {{ working_day_counts('year', 12) }}
    from placed

),

-- A calendar of whole calendar years cuts the first and last fiscal year where that begins in another month: what is
-- not known whole has no positions.
final as (

    select
        day,
        is_working_day,
        is_adjusted,
        is_published,
        holiday_name,
        month_start_on,
        month_end_on,
        quarter_start_on,
        quarter_end_on,
        year_start_on,
        year_end_on,
        cast(extract(year from year_end_on) as integer) as fiscal_year,
        cast(floor(months_into_year / 3) + 1 as integer) as fiscal_quarter,
        cast(months_into_year + 1 as integer) as fiscal_month,
        {{ if_whole_period('month', 'month_working_days_passed') }},
        {{ if_whole_period('month', 'month_working_days') }},
        {{ if_whole_period('quarter', 'quarter_working_days_passed') }},
        {{ if_whole_period('quarter', 'quarter_working_days') }},
        {{ if_whole_period('year', 'year_working_days_passed') }},
        {{ if_whole_period('year', 'year_working_days') }}
    from counted

)

select * from final
