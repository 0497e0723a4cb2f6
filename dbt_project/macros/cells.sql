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

{#-
    How long it takes in the cells of `outcomes_rolled_up`, by Kaplan and Meier: `ended` is the length in days of what has
    ended, `lasting` that of what lasts as of the night, at least one of them null. Those that last count for as long as
    they have, so that a median of the quick ones alone is none. What has neither length is not counted. Counts of one
    length add up, so that cells are made of them.
-#}
{% macro dwell_rolled_up(rows, happened_on, dimensions, cells, ended, lasting) -%}
{% set cell_keys = ['period_kind', 'period_start_on', 'node_no'] + dimensions -%}
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

    {% for period in ['quarter', 'year', 'all'] -%}
        {% set is_last_period = loop.last -%}
        {% for kept in cells -%}
            select
                '{{ period }}' as period_kind,
                {{ period }}_start_on as period_start_on,
                node_no,
                {{ cell_columns(dimensions, kept) }},
                days,
                {{ sum_each(['n_event', 'n_censored']) }}
            from lengths
            {% if period != 'all' -%}
                where {{ period }}_start_on is not null
            {% endif -%}
            group by {{ ([period ~ '_start_on', 'node_no'] + kept + ['days']) | join(', ') }}
            {% if not (loop.last and is_last_period) %}
            union all

            {% endif %}
        {%- endfor %}
    {%- endfor %}

),

at_risk as (

    select
        counted.*,
        sum(n_event + n_censored) over (
            partition by {{ cell_keys | join(', ') }} order by days desc
            rows between unbounded preceding and current row
        ) as n_at_risk
    from counted

),

-- S(t) = product over lengths up to t of (1 - ended ÷ at risk), as a sum of logarithms; rounded, so that a share of
-- exactly one half is one half.
survival as (

    select
        at_risk.*,
        round(exp(sum(
            case when n_event = n_at_risk then -1000 else ln(1 - cast(n_event as double) / n_at_risk) end
        ) over (
            partition by {{ cell_keys | join(', ') }} order by days
            rows between unbounded preceding and current row
        )), 9) as share_lasting
    from at_risk

),

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
