-- Grain: one period of creation (month, quarter), node and cell that has touched leads: how long the first touch took.

{#
    Cells: the total in months and quarters; in quarters, and above single reps, also each value of each dimension.
    Quantiles do not add up, so that each cell reads its leads again, and a rep's dozen leads of one industry have no
    p80 to speak of.
#}
{% set dimensions = ['source', 'quality', 'industry', 'segment'] -%}

with dates as (

    select
        day,
        month_start_on,
        quarter_start_on
    from {{ ref('int_dates') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no,
        ancestor_level
    from {{ ref('int_node_ancestors') }}

),

cells as (

    select * from {{ ref('int_lead_cells') }}

),

touched as (

    select
        ancestors.ancestor_node_no as node_no,
        ancestors.ancestor_level,
        {% for dimension in dimensions -%}
            {{ stated_value('cells.' ~ dimension) }} as {{ dimension }},
        {% endfor -%}
        dates.month_start_on,
        dates.quarter_start_on,
        cast(leads.touch_minutes as integer) as touch_minutes,
        cast(leads.touch_working_days as integer) as touch_working_days
    from {{ ref('int_leads') }} as leads
    inner join cells on leads.cell_no = cells.cell_no
    inner join dates on leads.created_on = dates.day
    inner join ancestors on leads.node_no = ancestors.node_no
    where leads.is_touched

),

{% set quantiles -%}
    {{ quantile_of('touch_minutes', 0.5) }} as touch_median_minutes,
        {{ quantile_of('touch_minutes', 0.8) }} as touch_p80_minutes,
        {{ quantile_of('touch_working_days', 0.5) }} as touch_median_working_days,
        {{ quantile_of('touch_working_days', 0.8) }} as touch_p80_working_days
{%- endset -%}

final as (

    {% for period in ['month', 'quarter'] -%}
        select
            '{{ period }}' as period_kind,
            {{ period }}_start_on as period_start_on,
            node_no,
            {% for dimension in dimensions -%}
                'all' as {{ dimension }},
            {% endfor -%}
            {{ quantiles }}
        from touched
        group by node_no, {{ period }}_start_on

        union all

    {% endfor -%}
    {% for dimension in dimensions -%}
        select
            'quarter' as period_kind,
            quarter_start_on as period_start_on,
            node_no,
            {% for other in dimensions -%}
                {{ other if other == dimension else "'all'" }} as {{ other }},
            {% endfor -%}
            {{ quantiles }}
        from touched
        where ancestor_level < 3
        group by node_no, quarter_start_on, {{ dimension }}
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

)

select * from final
