-- Grain: one day of the company's calendar.

with dates as (

    select * from {{ ref('int_dates') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        dates.day,
        dates.is_working_day,
        dates.is_adjusted,
        dates.is_published,
        dates.holiday_name,
        dates.month_start_on,
        dates.month_end_on,
        dates.quarter_start_on,
        dates.quarter_end_on,
        dates.half_start_on,
        dates.half_end_on,
        dates.year_start_on,
        dates.year_end_on,
        dates.fiscal_year,
        dates.fiscal_half,
        dates.fiscal_quarter,
        dates.fiscal_month,
        dates.month_working_days_passed,
        dates.month_working_days,
        dates.quarter_working_days_passed,
        dates.quarter_working_days,
        dates.half_working_days_passed,
        dates.half_working_days,
        dates.year_working_days_passed,
        dates.year_working_days,
        run.as_of_date,
        run.run_id
    from dates
    cross join run

)

select * from final
