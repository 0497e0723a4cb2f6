-- Grain: one row per metric × period × node in which something happened, up to and including the as-of date.
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

dates as (
    select * from {{ ref('int_dates') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
),

daily as (
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

monthly as (
    select
        daily.metric,
        daily.node_key,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        sum(daily.hundredths) as hundredths,
        sum(daily.n) as n
    from daily
    cross join runs
    inner join dates on daily.happened_on = dates.day
    where daily.happened_on <= runs.as_of_date
    group by daily.metric, daily.node_key, dates.month_start_on, dates.quarter_start_on, dates.year_start_on
),

periodic as (
    {% for kind in ['month', 'quarter', 'year'] %}
        select
            metric,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_key,
            hundredths,
            n
        from monthly
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select
        periodic.metric,
        periodic.period_kind,
        periodic.period_start_on,
        ancestors.ancestor_node_key as node_key,
        cast(coalesce(sum(periodic.hundredths), 0) as bigint) as hundredths,
        cast(sum(periodic.n) as bigint) as n
    from periodic
    inner join ancestors on periodic.node_key = ancestors.node_key
    group by periodic.metric, periodic.period_kind, periodic.period_start_on, ancestors.ancestor_node_key
)

select * from final
