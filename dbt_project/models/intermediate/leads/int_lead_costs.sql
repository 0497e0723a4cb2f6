-- Grain: one month or quarter and source ('all' and each) in which a budget that names a source of leads was spent.

with run as (

    select
        as_of_date,
        reporting_currency
    from {{ ref('stg_night__run') }}

),

initiatives as (

    {{ current_rows('initiative') }}

),

rates as (

    select * from {{ ref('int_fx_rates_daily') }}

),

periods as (

    select
        period_kind,
        period_start_on,
        period_end_on
    from {{ ref('int_periods_progressed') }}
    where period_kind in ('month', 'quarter')

),

budgets as (

    select
        initiatives.lead_source,
        coalesce(initiatives.starts_on, initiatives.due_on) as starts_on,
        coalesce(initiatives.due_on, initiatives.starts_on) as ends_on,
        run.as_of_date,
        {{ reporting_cents(
            'initiatives.budget',
            'rates.rate',
            'coalesce(initiatives.currency, run.reporting_currency)',
            'run.as_of_date'
        ) }} as budget_cents
    from initiatives
    cross join run
    left join rates
        on coalesce(initiatives.currency, run.reporting_currency) = rates.currency and run.as_of_date = rates.day
    where initiatives.lead_source is not null and initiatives.budget is not null

),

-- Spent evenly from the first day to the deadline, as far as that has passed. Rounding what is spent up to a day, and
-- not the day, makes the months of a budget add up to it.
parts as (

    select
        budgets.*,
        periods.period_kind,
        periods.period_start_on,
        {{ days_between('budgets.starts_on', 'budgets.ends_on') }} + 1 as days,
        {{ days_between('budgets.starts_on', 'greatest(budgets.starts_on, periods.period_start_on)') }} as days_before,
        {{ days_between(
            'budgets.starts_on', 'least(budgets.ends_on, periods.period_end_on, budgets.as_of_date)'
        ) }} + 1 as days_until
    from budgets
    inner join periods
        on
            budgets.starts_on <= periods.period_end_on
            and budgets.ends_on >= periods.period_start_on
            and budgets.as_of_date >= periods.period_start_on
            and budgets.as_of_date >= budgets.starts_on

),

spent as (

    select
        period_kind,
        period_start_on,
        {{ stated_value('lead_source') }} as source,
        cast(round(cast(budget_cents as decimal(28, 8)) * days_until / days, 0) as bigint)
        - cast(round(cast(budget_cents as decimal(28, 8)) * days_before / days, 0) as bigint) as cost_cents
    from parts

),

final as (

    select
        period_kind,
        period_start_on,
        source,
        cast(sum(cost_cents) as bigint) as cost_cents
    from spent
    group by period_kind, period_start_on, source

    union all

    select
        period_kind,
        period_start_on,
        'all' as source,
        cast(sum(cost_cents) as bigint) as cost_cents
    from spent
    group by period_kind, period_start_on

)

select * from final
