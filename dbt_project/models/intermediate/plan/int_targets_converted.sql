-- Grain: one row per target as given tonight (plan version × metric × period × node as named in the plan).
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

targets as (
    {{ current_rows('target') }}
),

rates as (
    select * from {{ ref('int_fx_rates_daily') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

first_days as (
    select min(day) as first_on from dates
),

dated as (
    select
        targets.plan_version,
        case when targets.metric = 'cash' then 'cash_collected' else targets.metric end as metric,
        targets.period_kind,
        targets.period_start_on,
        targets.node_kind,
        targets.node_name,
        targets.base,
        targets.stretch,
        targets._first_observed_on,
        -- Counts have no currency, whatever a mapping fills in.
        case
            when {{ metric_unit('targets.metric') }} = 'money' and targets.currency <> runs.reporting_currency
                then targets.currency
        end as foreign_currency,
        -- Money is worth what it was when the period began; for a period to come, what it is tonight.
        greatest(least(targets.period_start_on, runs.as_of_date), first_days.first_on) as rate_on,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        -- Of a period that the calendar does not reach, the year is not known.
        coalesce(dates.year_start_on, targets.period_start_on) as fiscal_year_start_on
    from targets
    cross join runs
    cross join first_days
    left join dates on targets.period_start_on = dates.day
),

final as (
    select
        dated.plan_version,
        dated.metric,
        dated.period_kind,
        dated.period_start_on,
        dated.month_start_on,
        dated.quarter_start_on,
        dated.half_start_on,
        dated.fiscal_year_start_on,
        dated.node_kind,
        dated.node_name,
        {% for amount in ['base', 'stretch'] %}
            case
                when dated.foreign_currency is null
                    then cast(cast(dated.{{ amount }} as decimal(28, 2)) * 100 as bigint)
                else {{ reporting_cents('dated.' ~ amount, 'rates.rate', 'dated.foreign_currency', 'dated.rate_on') }}
            end as {{ amount }}_hundredths,
        {% endfor %}
        dated._first_observed_on as first_seen_on
    from dated
    left join rates
        on dated.foreign_currency = rates.currency
            and dated.rate_on = rates.day
)

select * from final
