-- Grain: one row per metric × rep node × day on which something happened, up to and including the as-of date.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

bookings as (
    select * from {{ ref('int_bookings') }}
),

opportunities as (
    select * from {{ ref('int_opportunities') }}
    where not is_deleted
),

happened as (
    select
        'bookings' as metric,
        node_key,
        booked_on as happened_on,
        sum(amount_cents) as hundredths,
        count(*) as n
    from bookings
    group by node_key, booked_on

    union all

    -- The money of won deals, for their mean: bookings may come from contracts or order lines.
    select
        'won_amount' as metric,
        node_key,
        closed_on as happened_on,
        sum(amount_cents) as hundredths,
        count(amount_cents) as n
    from opportunities
    where is_won
    group by node_key, closed_on

    union all

    select
        case when is_won then 'won_count' else 'lost_count' end as metric,
        node_key,
        closed_on as happened_on,
        count(*) * 100 as hundredths,
        count(*) as n
    from opportunities
    where is_closed
    group by case when is_won then 'won_count' else 'lost_count' end, node_key, closed_on

    union all

    select
        'created_count' as metric,
        node_key,
        created_on as happened_on,
        count(*) * 100 as hundredths,
        count(*) as n
    from opportunities
    group by node_key, created_on
),

final as (
    select
        happened.metric,
        happened.node_key,
        happened.happened_on,
        cast(coalesce(happened.hundredths, 0) as bigint) as hundredths,
        cast(happened.n as bigint) as n,
        cast(null as bigint) as denominator_hundredths
    from happened
    cross join runs
    where happened.happened_on <= runs.as_of_date
)

select * from final
