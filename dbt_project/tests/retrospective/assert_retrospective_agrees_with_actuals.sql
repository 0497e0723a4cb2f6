-- Sums of the reps are the company's, for every metric that adds up, and years are the sums of their months.
with

additive as (
    select * from {{ ref('mart_retrospective') }}
    where metric in ('bookings', 'won_count', 'lost_count', 'created_count')
),

by_level as (
    select
        metric,
        period_kind,
        period_start_on,
        sum(case when node_key = 'company' then actual else 0 end) as company,
        sum(case when node_key like 'rep:%' then actual else 0 end) as reps
    from additive
    group by metric, period_kind, period_start_on
),

by_kind as (
    select
        additive.metric,
        dates.year_start_on,
        sum(case when additive.period_kind = 'year' then additive.actual else 0 end) as years,
        sum(case when additive.period_kind = 'month' then additive.actual else 0 end) as months
    from additive
    inner join {{ ref('dim_date') }} as dates on additive.period_end_on = dates.day
    where additive.node_key = 'company'
    group by additive.metric, dates.year_start_on
)

select
    metric,
    period_start_on,
    'reps' as compared
from by_level
where company <> reps

union all

select
    metric,
    year_start_on as period_start_on,
    'months' as compared
from by_kind
where years <> months
