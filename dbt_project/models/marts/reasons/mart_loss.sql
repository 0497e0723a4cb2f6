-- Grain: one period of closing (month, quarter, fiscal year), node and cell of stage, reason, competitor and segment.

{% set dimensions = ['stage', 'reason', 'competitor', 'segment'] -%}

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

cells as (

    select * from {{ ref('int_losses_rolled_up') }}

),

totals as (

    select
        period_kind,
        period_start_on,
        node_no,
        losses,
        lost_cents
    from cells
    where {% for dimension in dimensions %}{{ dimension }} = 'all'{{ ' and ' if not loop.last }}{% endfor %}

),

final as (

    select
        cells.period_kind,
        cells.period_start_on,
        nodes.node_key,
        {{ each_column(dimensions, 'cells') }},
        cells.losses,
        cells.losses_without_amount,
        {{ cents_to_amount('cells.lost_cents') }} as amount_lost,
        round({{ ratio('cells.losses', 'totals.losses') }}, 6) as loss_share,
        round({{ ratio('cells.lost_cents', 'totals.lost_cents') }}, 6) as loss_share_amount,
        run.as_of_date,
        run.run_id
    from cells
    cross join run
    inner join nodes on cells.node_no = nodes.node_no
    inner join totals
        on
            cells.period_kind = totals.period_kind
            and cells.period_start_on = totals.period_start_on
            and cells.node_no = totals.node_no

)

select * from final
