-- Grain: one row per metric × period × node in which something happened, up to and including the as-of date.
with

daily as (
    select * from {{ ref('int_actuals_daily') }}
),

dates as (
    select * from {{ ref('int_dates') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
),

monthly as (
    select
        daily.metric,
        daily.node_key,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.year_start_on,
        sum(daily.hundredths) as hundredths,
        sum(daily.n) as n,
        sum(daily.denominator_hundredths) as denominator_hundredths
    from daily
    inner join dates on daily.happened_on = dates.day
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
            n,
            denominator_hundredths
        from monthly
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

summed as (
    select
        periodic.metric,
        periodic.period_kind,
        periodic.period_start_on,
        ancestors.ancestor_node_key as node_key,
        cast(sum(periodic.hundredths) as bigint) as hundredths,
        cast(sum(periodic.n) as bigint) as n,
        cast(sum(periodic.denominator_hundredths) as bigint) as denominator_hundredths
    from periodic
    inner join ancestors on periodic.node_key = ancestors.node_key
    group by periodic.metric, periodic.period_kind, periodic.period_start_on, ancestors.ancestor_node_key
),

-- A rate is made of its sums, never a sum of rates; of nothing there is none.
final as (
    select
        metric,
        period_kind,
        period_start_on,
        node_key,
        case
            when denominator_hundredths is null then hundredths
            else {{ rate_hundredths('hundredths', 'denominator_hundredths') }}
        end as hundredths,
        n,
        denominator_hundredths
    from summed
)

select * from final
