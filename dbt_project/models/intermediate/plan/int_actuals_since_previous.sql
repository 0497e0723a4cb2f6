-- Grain: one row per metric × running period × node in which something happened after the night before.
{% set kinds = ['month', 'quarter', 'half', 'year'] %}
with

daily as (
    select daily.*
    from {{ ref('int_actuals_daily') }} as daily
    inner join {{ ref('int_previous_night') }} as previous on daily.happened_on > previous.previous_as_of_date
    where daily.denominator_hundredths is null
),

dates as (
    select * from {{ ref('int_dates') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors_dated') }}
),

placed as (
    select
        daily.metric,
        ancestors.ancestor_node_key as node_key,
        dates.month_start_on,
        dates.quarter_start_on,
        dates.half_start_on,
        dates.year_start_on,
        daily.hundredths
    from daily
    inner join dates on daily.happened_on = dates.day
    inner join ancestors
        on daily.node_key = ancestors.node_key
            and daily.happened_on between ancestors.valid_from and ancestors.valid_to
),

final as (
    {% for kind in kinds %}
        select
            metric,
            '{{ kind }}' as period_kind,
            {{ kind }}_start_on as period_start_on,
            node_key,
            cast(sum(hundredths) as bigint) as hundredths
        from placed
        group by metric, {{ kind }}_start_on, node_key
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final
