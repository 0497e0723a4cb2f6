-- Grain: one row per metric × period × node in which open deals are expected to close.
with

open_deals as (
    select * from {{ ref('int_open_deals_expected') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
),

monthly as (
    select
        open_deals.node_key,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        sum(coalesce(open_deals.amount_cents, 0)) as amount_cents,
        count(*) as deals
    from open_deals
    inner join dates on open_deals.forecast_close_on = dates.day
    group by open_deals.node_key, dates.month_start_on, dates.quarter_start_on, dates.year_start_on
),

periodic as (
    {% for kind in ['month', 'quarter', 'year'] %}
        select
            'bookings' as metric,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_key,
            amount_cents as hundredths,
            deals
        from monthly
        union all
        select
            'won_count' as metric,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_key,
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
    inner join ancestors on periodic.node_key = ancestors.node_key
    group by periodic.metric, periodic.period_kind, periodic.period_start_on, ancestors.ancestor_node_key
)

select * from final
