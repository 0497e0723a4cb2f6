-- Grain: one period of raising (quarter, fiscal year, all), node and cell of type, stage and response.

{#
    Cells: the total, each value alone and two pairs. Deals are counted once in each cell and medians do not add up, so
    that each cell reads its rows again: there are few of them beside deals.
-#}
{% set dimensions = ['objection_type', 'stage', 'response'] -%}
{% set cells = [
    [], ['objection_type'], ['stage'], ['response'], ['objection_type', 'stage'], ['objection_type', 'response']
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
        found.outcome,
        found.days_to_settle,
        found.days_open,
        case when found.is_deal_won then found.okey end as won_okey,
        case when found.is_deal_lost then found.okey end as lost_okey,
        dates.quarter_start_on,
        dates.year_start_on,
        cast(null as date) as all_start_on
    from {{ ref('int_objections') }} as found
    inner join ancestors on found.node_no = ancestors.node_no
    left join dates on found.raised_on = dates.day

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
                count(*) as objections,
                count(case when outcome = 'resolved' then 1 end) as resolved,
                count(case when outcome = 'lost' then 1 end) as lost,
                count(case when outcome = 'open' then 1 end) as still_open,
                count(days_to_settle) as n_settled_dated,
                {{ quantile_of('days_to_settle', 0.5) }} as settle_median_days,
                {{ quantile_of('days_open', 0.5) }} as open_median_days,
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
