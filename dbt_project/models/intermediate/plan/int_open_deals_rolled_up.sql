-- Grain: one row per metric × period × node in which open deals are expected to close.
with

dated as (
    select * from {{ ref('int_open_deals_dated') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
),

monthly as (
    select
        dated.node_no,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        dates.year_start_on,
        sum(coalesce(dated.amount_cents, 0)) as amount_cents,
        count(*) as deals
    from dated
    inner join dates on dated.forecast_close_on = dates.day
    group by
        dated.node_no,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        dates.year_start_on
),

periodic as (
    {% for kind in ['month', 'quarter', 'half', 'year'] %}
        select
            'bookings' as metric,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_no,
            amount_cents as hundredths,
            deals
        from monthly
        union all
        select
            'won_count' as metric,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_no,
            deals * 100 as hundredths,
            deals
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
        cast(sum(periodic.hundredths) as bigint) as open_hundredths,
        cast(sum(periodic.deals) as bigint) as open_deals
    from periodic
    inner join ancestors on periodic.node_no = ancestors.node_no
    group by periodic.metric, periodic.period_kind, periodic.period_start_on, ancestors.ancestor_node_key
)

select * from final
