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

{#- Two steps of a statement: the days with their quarter and fiscal year, and the nodes with those above them. -#}
{% macro days_and_places() -%}
dates as (

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

)
{%- endmacro %}

{#-
    What is measured of `rows` by quarter, fiscal year and in all, at each node, in each of `cells`, and by the columns
    `by`; `measures` are expressions by their name.
-#}
{% macro each_period_and_cell(rows, dimensions, cells, measures, by=[]) -%}
    {% for period in ['quarter', 'year', 'all'] -%}
        {% set is_last_period = loop.last -%}
        {% for kept in cells -%}
            select
                '{{ period }}' as period_kind,
                {{ period }}_start_on as period_start_on,
                node_no,
                {{ cell_columns(dimensions, kept) }},
                {% for column in by -%}
                    {{ column }},
                {% endfor -%}
                {% for name, measure in measures.items() -%}
                    {{ measure }} as {{ name }}{{ ',' if not loop.last }}
                {% endfor -%}
            from {{ rows }}
            {% if period != 'all' -%}
                where {{ period }}_start_on is not null
            {% endif -%}
            group by {{ ([period ~ '_start_on', 'node_no'] + kept + by) | join(', ') }}
            {% if not (loop.last and is_last_period) %}
            union all

            {% endif %}
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#-
    Rows with an owner and a day, at their owner's node and each above it, by quarter, fiscal year and in all, in each of
    `cells` (lists of the `dimensions` that a cell keeps). `carried` are further columns of the rows, `measures` what is
    computed of them. Deals are counted once in each cell and medians do not add up, so that each cell reads its rows
    again: this is for what there is little of beside deals.
-#}
{% macro outcomes_rolled_up(rows, happened_on, dimensions, cells, carried, measures) -%}
with {{ days_and_places() }},

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

    {% set deals = {
        'deals': 'count(distinct okey)', 'deals_won': 'count(distinct won_okey)', 'deals_lost': 'count(distinct lost_okey)'
    } -%}
    {{ each_period_and_cell('found', dimensions, cells, dict(measures, **deals)) }}

)

select * from final
{%- endmacro %}

{#-
    How long it takes in the cells of `outcomes_rolled_up`, by Kaplan and Meier: `ended` is the length in days of what has
    ended, `lasting` that of what lasts as of the night, at least one of them null. Those that last count for as long as
    they have, so that a median of the quick ones alone is none. What has neither length is not counted. Counts of one
    length add up, so that cells are made of them.
-#}
{% macro dwell_rolled_up(rows, happened_on, dimensions, cells, ended, lasting) -%}
{% set cell_keys = ['period_kind', 'period_start_on', 'node_no'] + dimensions -%}
with {{ days_and_places() }},

lengths as (

    select
        ancestors.ancestor_node_no as node_no,
        {{ each_column(dimensions, 'found') }},
        dates.quarter_start_on,
        dates.year_start_on,
        cast(null as date) as all_start_on,
        coalesce(found.{{ ended }}, found.{{ lasting }}) as days,
        count(found.{{ ended }}) as n_event,
        count(*) - count(found.{{ ended }}) as n_censored
    from {{ rows }} as found
    inner join ancestors on found.node_no = ancestors.node_no
    left join dates on found.{{ happened_on }} = dates.day
    where coalesce(found.{{ ended }}, found.{{ lasting }}) is not null
    group by
        ancestors.ancestor_node_no,
        {{ each_column(dimensions, 'found') }},
        dates.quarter_start_on,
        dates.year_start_on,
        coalesce(found.{{ ended }}, found.{{ lasting }})

),

counted as (

    {% set measures = {'n_event': 'sum(n_event)', 'n_censored': 'sum(n_censored)'} -%}
    {{ each_period_and_cell('lengths', dimensions, cells, measures, ['days']) }}

),

{{ kaplan_meier('counted', cell_keys, 'days') }},

final as (

    select
        {{ each_column(cell_keys) }},
        cast(min(case when share_lasting <= 0.5 then days end) as integer) as median_days,
        cast(min(case when share_lasting <= 0.2 then days end) as integer) as p80_days,
        cast(sum(n_event) as bigint) as n_event,
        cast(sum(n_censored) as bigint) as n_censored
    from survival
    group by
        {{ each_column(cell_keys) }}

)

select * from final
{%- endmacro %}

{#- Join condition: both rows are the same period, node and cell; a period without a first day is all that is recorded. -#}
{% macro same_outcome_cell(left, right, dimensions) -%}
    {{ left }}.period_kind = {{ right }}.period_kind
            and coalesce({{ left }}.period_start_on, date '1970-01-01')
            = coalesce({{ right }}.period_start_on, date '1970-01-01')
            and {{ left }}.node_no = {{ right }}.node_no
            {%- for dimension in dimensions %}
            and {{ left }}.{{ dimension }} = {{ right }}.{{ dimension }}
            {%- endfor %}
{%- endmacro %}
