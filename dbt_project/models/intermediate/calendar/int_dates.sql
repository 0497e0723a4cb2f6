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
        {%- for period, months in [('month', 1), ('quarter', 3), ('year', 12)] %}
        {{ add_days(add_months('placed.' ~ period ~ '_start_on', months), -1) }} as {{ period }}_end_on,
        sum(placed.working_day_unit) over (
            partition by placed.{{ period }}_start_on
            order by placed.day
            rows between unbounded preceding and current row
        ) as {{ period }}_working_days_passed,
        sum(placed.working_day_unit) over (partition by placed.{{ period }}_start_on) as {{ period }}_working_days,
        count(*) over (partition by placed.{{ period }}_start_on) as {{ period }}_days_known{{ ',' if not loop.last }}
        {%- endfor %}
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
        {%- for period in ['month', 'quarter', 'year'] %}
        case
            when {{ period }}_days_known = {{ days_between(period ~ '_start_on', period ~ '_end_on') }} + 1
                then cast({{ period }}_working_days_passed as integer)
        end as {{ period }}_working_days_passed,
        case
            when {{ period }}_days_known = {{ days_between(period ~ '_start_on', period ~ '_end_on') }} + 1
                then cast({{ period }}_working_days as integer)
        end as {{ period }}_working_days{{ ',' if not loop.last }}
        {%- endfor %}
    from counted

)

select * from final
