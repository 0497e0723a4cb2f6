-- Grain: one period of closing (month, quarter, fiscal year), node and cell of stage, reason, competitor and segment.

{{ config(database=target.database, schema='basis') }}

{#
    Cells: the total and each value of each dimension with all in the others; in quarters and years also the pairs
    below. A month of a rep has a handful of losses, so that its pairs would be rows of one. Values have a number, and
    all is 0.
-#}
{% set dimensions = ['stage', 'reason', 'competitor', 'segment'] -%}
{% set cells = [
    [], ['stage'], ['reason'], ['competitor'], ['segment'],
    ['stage', 'reason'], ['stage', 'competitor'], ['stage', 'segment'], ['reason', 'competitor']
] -%}
{% set numbers = ['stage_no', 'reason_no', 'competitor_no', 'segment_no'] -%}
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

loss_values as (

    select
        value_no,
        value
    from {{ ref('int_loss_values') }}
    where value_no > 0

),

{{ parents_and_ancestors() }},

losses as (

    select
        losses.node_no,
        months.month_start_on,
        months.first_month_on,
        {% for dimension in dimensions -%}
            {{ dimension }}_values.value_no as {{ dimension }}_no,
        {% endfor -%}
        losses.amount_cents
    from {{ ref('int_losses') }} as losses
    inner join dates on losses.closed_on = dates.day
    inner join months on dates.month_start_on = months.month_start_on
    {%- for dimension in dimensions %}
    inner join loss_values as {{ dimension }}_values on losses.{{ dimension }} = {{ dimension }}_values.value
    {%- endfor %}

),

own as (

    {% for kept in cells -%}
        {% set month = 'month_start_on' if kept | length < 2 else 'first_month_on' -%}
        select
            node_no,
            {{ month }} as month_start_on,
            {{ kept | length }} as n_dimensions,
            {% for dimension in dimensions -%}
                {{ dimension ~ '_no' if dimension in kept else '0 as ' ~ dimension ~ '_no' }},
            {% endfor -%}
            count(*) as losses,
            count(*) - count(amount_cents) as losses_without_amount,
            cast(coalesce(sum(amount_cents), 0) as bigint) as lost_cents
        from losses
        group by
            node_no, {{ month }}
            {%- for dimension in kept %}, {{ dimension }}_no{% endfor %}
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

{{ at_every_node('own', ['month_start_on', 'n_dimensions'] + numbers, measures) }},

final as (

    select
        'month' as period_kind,
        month_start_on as period_start_on,
        node_no,
        {{ each_column(numbers) }},
        {{ each_column(measures) }}
    from by_node
    where n_dimensions <= 1

    {% for period in ['quarter', 'year'] -%}
        union all

        select
            '{{ period }}' as period_kind,
            months.{{ period }}_start_on as period_start_on,
            by_node.node_no,
            {{ each_column(numbers, 'by_node') }},
            {{ sum_each(measures, 'by_node') }}
        from by_node
        inner join months on by_node.month_start_on = months.month_start_on
        group by
            months.{{ period }}_start_on, by_node.node_no,
            {{ each_column(numbers, 'by_node') }}

    {% endfor %}
)

select * from final
