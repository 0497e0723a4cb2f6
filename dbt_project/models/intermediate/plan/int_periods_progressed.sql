-- Grain: one row per month, quarter, half and fiscal year, by the company's calendar.
with

periods as (
    select * from {{ ref('int_calendar_periods') }}
    where is_company
),

-- The same period of the year before is that of the same number: years of weeks have 52 or 53 of them.
final as (
    select
        periods.period_kind,
        periods.period_start_on,
        periods.period_end_on,
        periods.fiscal_year_start_on,
        periods.working_days,
        periods.working_days_passed,
        periods.working_days_remaining,
        periods.elapsed_share,
        periods.is_calendar_published,
        periods.is_current,
        periods.has_begun,
        periods.is_over,
        lag(periods.period_start_on, 1) over (
            partition by periods.period_kind order by periods.period_start_on
        ) as prior_period_start_on,
        year_ago.period_start_on as last_year_period_start_on
    from periods
    left join periods as year_ago
        on periods.period_kind = year_ago.period_kind
            and periods.period_no = year_ago.period_no
            and periods.fiscal_year - 1 = year_ago.fiscal_year
)

select * from final
