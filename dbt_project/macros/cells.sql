{#- Dimensions of marts that show single values beside their total, which is called 'all'. -#}

{#- The value to group by: (none) where nobody stated one; what is written like the total is told apart. -#}
{% macro stated_value(value) -%}
    case when {{ value }} is null then '(none)' when {{ value }} = 'all' then '(all)' else {{ value }} end
{%- endmacro %}

{#- The columns of `dimensions`, one a line: those that a cell keeps, and 'all' for the others. -#}
{% macro cell_columns(dimensions, kept, relation=none) -%}
    {%- for dimension in dimensions -%}
        {%- if dimension in kept -%}
            {{ relation ~ '.' if relation }}{{ dimension }}
        {%- else -%}
            'all' as {{ dimension }}
        {%- endif -%}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- A bound (`side` -1 or 1) of the Wilson interval, 95 %, of `successes` of `trials`, 6 decimals; null without trials. -#}
{% macro wilson_bound(successes, trials, side) -%}
    case
        when {{ trials }} > 0
            then
                round(
                    (
                        {{ successes }} + 1.9207295
                        + {{ side }} * 1.959964 * sqrt(
                            cast({{ successes }} as double) * ({{ trials }} - {{ successes }}) / {{ trials }} + 0.9603647
                        )
                    ) / ({{ trials }} + 3.841459),
                    6
                )
    end
{%- endmacro %}

{#-
    Rows with an owner and a day, at their owner's node and each above it, by quarter, fiscal year and in all, in each of
    `cells` (lists of the `dimensions` that a cell keeps). `carried` are further columns of the rows, `measures` what is
    computed of them. Deals are counted once in each cell and medians do not add up, so that each cell reads its rows
    again: this is for what there is little of beside deals.
-#}
{% macro outcomes_rolled_up(rows, happened_on, dimensions, cells, carried, measures) -%}
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
        {{ each_column(dimensions + carried, 'found') }},
        case when found.is_deal_won then found.okey end as won_okey,
        case when found.is_deal_lost then found.okey end as lost_okey,
        dates.quarter_start_on,
        dates.year_start_on,
        cast(null as date) as all_start_on
    from {{ rows }} as found
    inner join ancestors on found.node_no = ancestors.node_no
    left join dates on found.{{ happened_on }} = dates.day

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
                {% for name, measure in measures.items() -%}
                    {{ measure }} as {{ name }},
                {% endfor -%}
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
{%- endmacro %}
