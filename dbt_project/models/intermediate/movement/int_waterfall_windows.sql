-- Grain: one month, quarter or fiscal year that has begun, and ended no longer than a year ago.

{{ config(database=target.database, schema='basis') }}

with months as (

    select * from {{ ref('stg_night__fiscal_months') }}

),

-- The month that runs, and the one twelve before it.
run as (

    select
        nights.as_of_date,
        past.month_start_on as first_on
    from {{ ref('stg_night__run') }} as nights
    inner join months as running on nights.as_of_date between running.month_start_on and running.month_end_on
    inner join months as past on running.month_no = past.month_no + 12

),

dates as (

    select
        all_dates.month_start_on,
        all_dates.month_end_on,
        all_dates.quarter_start_on,
        all_dates.quarter_end_on,
        all_dates.year_start_on,
        all_dates.year_end_on
    from {{ ref('int_dates') }} as all_dates
    cross join run
    where all_dates.day <= run.as_of_date and all_dates.year_end_on >= run.first_on

),

periods as (

    {% for kind in ['month', 'quarter', 'year'] %}
        select distinct
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            {{ kind }}_end_on as period_end_on
        from dates
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- From the end of the day before the period to its own end, or tonight.
final as (

    select
        cast(row_number() over (order by periods.period_kind, periods.period_start_on) as integer) as window_no,
        periods.period_kind,
        periods.period_start_on,
        periods.period_end_on,
        {{ add_days('periods.period_start_on', -1) }} as opening_on,
        least(periods.period_end_on, run.as_of_date) as closing_on,
        first_months.month_no as first_month_no,
        last_months.month_no as last_month_no,
        periods.period_end_on <= run.as_of_date as is_complete
    from periods
    inner join run on periods.period_end_on >= run.first_on
    inner join months as first_months on periods.period_start_on = first_months.month_start_on
    inner join months as last_months on periods.period_end_on = last_months.month_end_on

)

select * from final
