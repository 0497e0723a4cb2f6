-- Grain: one period of closing (month, quarter, fiscal year), node and cell of stage, reason, competitor and segment.

{{ config(materialized='view') }}

{#
    Cells: the total and each value of each dimension with 'all' in the others; in quarters and years also the pairs
    below. A month of a rep has a handful of losses, so that its pairs would be rows of one.
-#}
{% set dimensions = ['stage', 'reason', 'competitor', 'segment'] -%}
{% set cells = [
    [], ['stage'], ['reason'], ['competitor'], ['segment'],
    ['stage', 'reason'], ['stage', 'competitor'], ['stage', 'segment'], ['reason', 'competitor']
] -%}
{% set measures = ['losses', 'losses_without_amount', 'lost_cents'] -%}

with dates as (

    select
        day,
        month_start_on
    from {{ ref('int_dates') }}

),

-- Pairs have no months: they are counted in the first one of their quarter that the calendar holds.
months as (

    select distinct
        month_start_on,
        quarter_start_on,
        year_start_on,
        min(month_start_on) over (partition by quarter_start_on, year_start_on) as first_month_on
    from {{ ref('int_dates') }}

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

losses as (

    select
        losses.node_no,
        months.month_start_on,
        months.first_month_on,
        {{ each_column(dimensions, 'losses') }},
        losses.amount_cents
    from {{ ref('int_losses') }} as losses
    inner join dates on losses.closed_on = dates.day
    inner join months on dates.month_start_on = months.month_start_on

),

own as (

    {% for kept in cells -%}
        {% set month = 'month_start_on' if kept | length < 2 else 'first_month_on' -%}
        select
            node_no,
            {{ month }} as month_start_on,
            {{ kept | length }} as n_dimensions,
            {{ cell_columns(dimensions, kept) }},
            count(*) as losses,
            count(*) - count(amount_cents) as losses_without_amount,
            cast(coalesce(sum(amount_cents), 0) as bigint) as lost_cents
        from losses
        group by {{ (['node_no', month] + kept) | join(', ') }}
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        own.month_start_on,
        own.n_dimensions,
        {{ each_column(dimensions, 'own') }},
        {{ sum_each(measures, 'own') }}
    from own
    inner join ancestors on own.node_no = ancestors.node_no
    group by
        ancestors.ancestor_node_no, own.month_start_on, own.n_dimensions,
        {{ each_column(dimensions, 'own') }}

),

final as (

    select
        'month' as period_kind,
        month_start_on as period_start_on,
        node_no,
        {{ each_column(dimensions) }},
        {{ each_column(measures) }}
    from by_node
    where n_dimensions <= 1

    {% for period in ['quarter', 'year'] -%}
        union all

        select
            '{{ period }}' as period_kind,
            months.{{ period }}_start_on as period_start_on,
            by_node.node_no,
            {{ each_column(dimensions, 'by_node') }},
            {{ sum_each(measures, 'by_node') }}
        from by_node
        inner join months on by_node.month_start_on = months.month_start_on
        group by
            months.{{ period }}_start_on, by_node.node_no,
            {{ each_column(dimensions, 'by_node') }}

    {% endfor %}
)

select * from final
