-- Grain: one period of confirmation (quarter, fiscal year, all), node and cell of type, priority and stage.

{#
    Cells: the total, each value alone and two pairs. Deals are counted once in each cell and medians do not add up, so
    that each cell reads its rows again: there are few of them beside deals.
-#}
{% set dimensions = ['requirement_type', 'priority', 'stage'] -%}
{% set cells = [
    [], ['requirement_type'], ['priority'], ['stage'], ['requirement_type', 'priority'], ['requirement_type', 'stage']
] -%}

with dates as (

    select
        day,
        quarter_start_on,
        year_start_on
    from {{ ref('int_dates') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

found as (

    select
        found.okey,
        ancestors.ancestor_node_no as node_no,
        {{ each_column(dimensions, 'found') }},
        found.confirmed_on,
        found.dwell_days,
        found.days_to_win,
        case when found.is_deal_won then found.okey end as won_okey,
        case when found.is_deal_lost then found.okey end as lost_okey,
        dates.quarter_start_on,
        dates.year_start_on,
        cast(null as date) as all_start_on
    from {{ ref('int_requirement_outcomes') }} as found
    inner join ancestors on found.node_no = ancestors.node_no
    left join dates on found.confirmed_on = dates.day

),

final as (

    {% for period in ['quarter', 'year', 'all'] -%}
        {% set is_last_period = loop.last -%}
        {% for kept in cells -%}
            select
                '{{ period }}' as period_kind,
                {{ period }}_start_on as period_start_on,
                node_no,
                {{ cell_columns(dimensions, kept) }},
                count(*) as requirements,
                count(confirmed_on) as confirmed,
                {{ quantile_of('dwell_days', 0.5) }} as dwell_median_days,
                count(dwell_days) as n_dwell,
                {{ quantile_of('days_to_win', 0.5) }} as win_median_days,
                count(days_to_win) as n_win,
                count(distinct okey) as deals,
                count(distinct won_okey) as deals_won,
                count(distinct lost_okey) as deals_lost
            from found
            {% if period != 'all' -%}
                where {{ period }}_start_on is not null
            {% endif -%}
            group by {{ ([period ~ '_start_on', 'node_no'] + kept) | join(', ') }}
            {% if not (loop.last and is_last_period) %}
            union all

            {% endif %}
        {%- endfor %}
    {%- endfor %}

)

select * from final
