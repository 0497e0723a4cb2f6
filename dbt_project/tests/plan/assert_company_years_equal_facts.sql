-- The company's years hold every booking, every won deal and every open deal up to the end of the fiscal year, once.
{{ config(tags=['outlook']) }}
with

dates as (
    select * from {{ ref('dim_date') }}
),

facts as (
    select
        'bookings' as metric,
        booked_on as happened_on,
        coalesce(amount, 0) as actual,
        0 as open_amount
    from {{ ref('fct_booking') }}

    union all

    select
        'won_count' as metric,
        closed_on as happened_on,
        1 as actual,
        0 as open_amount
    from {{ ref('fct_opportunity') }}
    where is_won and closed_on <= as_of_date

    union all

    select
        'bookings' as metric,
        forecast_close_on as happened_on,
        0 as actual,
        coalesce(amount, 0) as open_amount
    from {{ ref('fct_opportunity') }}
    where not is_closed

    union all

    select
        'won_count' as metric,
        forecast_close_on as happened_on,
        0 as actual,
        1 as open_amount
    from {{ ref('fct_opportunity') }}
    where not is_closed
),

yearly as (
    select
        facts.metric,
        dates.year_start_on,
        sum(facts.actual) as actual,
        sum(facts.open_amount) as open_amount
    from facts
    inner join dates on facts.happened_on = dates.day
    where dates.year_start_on <= dates.as_of_date
    group by facts.metric, dates.year_start_on
),

years as (
    select * from {{ ref('mart_target_attainment') }}
    where node_key = 'company' and period_kind = 'year' and metric in ('bookings', 'won_count')
)

select
    coalesce(yearly.metric, years.metric) as metric,
    coalesce(yearly.year_start_on, years.period_start_on) as year_start_on,
    yearly.actual as actual_facts,
    years.actual as actual_mart,
    yearly.open_amount as open_facts,
    years.open_amount as open_mart
from yearly
full join years
    on yearly.metric = years.metric
    and yearly.year_start_on = years.period_start_on
where
    coalesce(yearly.actual, 0) <> coalesce(years.actual, 0)
    or coalesce(yearly.open_amount, 0) <> coalesce(years.open_amount, 0)
