-- Grain: one period of closing (month, quarter, fiscal year), node and cell of stage, reason, competitor and segment.

{{ config(materialized='view') }}

{#- Relations that are joined more than once have no step: it would be made whole for a reader of one column. -#}
{% set dimensions = ['stage', 'reason', 'competitor', 'segment'] -%}

with run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ in_version(ref('int_nodes')) }}

),

totals as (

    select
        period_kind,
        period_start_on,
        node_no,
        losses,
        lost_cents
    from {{ in_version(ref('int_losses_rolled_up')) }}
    where {% for dimension in dimensions %}{{ dimension }}_no = 0{{ ' and ' if not loop.last }}{% endfor %}

),

final as (

    select
        cells.period_kind,
        cells.period_start_on,
        nodes.node_key,
        {% for dimension in dimensions -%}
            {{ dimension }}_values.value as {{ dimension }},
        {% endfor -%}
        cells.losses,
        cells.losses_without_amount,
        {{ cents_to_amount('cells.lost_cents') }} as amount_lost,
        round({{ ratio('cells.losses', 'totals.losses') }}, 6) as loss_share,
        round({{ ratio('cells.lost_cents', 'totals.lost_cents') }}, 6) as loss_share_amount,
        run.as_of_date,
        run.run_id
    from {{ in_version(ref('int_losses_rolled_up')) }} as cells
    cross join run
    inner join nodes on cells.node_no = nodes.node_no
    inner join totals
        on
            cells.period_kind = totals.period_kind
            and cells.period_start_on = totals.period_start_on
            and cells.node_no = totals.node_no
    {%- for dimension in dimensions %}
    inner join {{ in_version(ref('int_loss_values')) }} as {{ dimension }}_values
        on cells.{{ dimension }}_no = {{ dimension }}_values.value_no
    {%- endfor %}

)

select * from final
