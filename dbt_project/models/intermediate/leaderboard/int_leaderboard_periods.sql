-- Grain: one month, quarter, half or year of this fiscal year or the last one that has begun.
with

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

this_year as (
    select
        period_start_on,
        coalesce(last_year_period_start_on, period_start_on) as first_on
    from periods
    where period_kind = 'year' and is_current
),

final as (
    select
        periods.period_kind,
        periods.period_start_on,
        periods.period_end_on,
        periods.is_current,
        periods.prior_period_start_on
    from periods
    inner join this_year on periods.fiscal_year_start_on >= this_year.first_on
    where periods.has_begun
)

select * from final
