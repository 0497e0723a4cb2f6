-- Grain: one period, scope, deal and rep node: how the deal stood there at the start, joined, changed, left, ended.

{{ config(materialized='view') }}

with moves as (

    {{ pipeline_moves(in_version(ref('int_pipeline_pairs')), ['okey', 'start_month_no', 'end_month_no']) }}

),

windows as (

    select
        window_no,
        period_kind,
        period_start_on
    from {{ in_version(ref('int_waterfall_windows')) }}

),

opportunities as (

    select
        okey,
        opportunity_id
    from {{ in_version(ref('int_opportunities')) }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ in_version(ref('int_nodes')) }}

),

ancestors as (

    select
        ancestors.node_no,
        nodes.node_key as ancestor_node_key,
        nodes.node_kind as ancestor_node_kind
    from {{ in_version(ref('int_node_ancestors')) }} as ancestors
    inner join {{ in_version(ref('int_nodes')) }} as nodes on ancestors.ancestor_node_no = nodes.node_no

),

placed as (

    select
        node_no,
        max(case when ancestor_node_kind = 'rep' then ancestor_node_key end) as node_key,
        max(case when ancestor_node_kind = 'team' then ancestor_node_key end) as team_node_key,
        max(case when ancestor_node_kind = 'region' then ancestor_node_key end) as region_node_key
    from ancestors
    group by node_no

),

-- For the lowest node that holds both owners of a transfer, and all above it, nothing was transferred.
shared as (

    select * from {{ in_version(ref('int_transfer_levels')) }}

),

months as (

    select * from {{ in_version(ref('stg_night__fiscal_months')) }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

final as (

    select
        windows.period_kind,
        windows.period_start_on,
        moves.scope,
        opportunities.opportunity_id,
        placed.node_key,
        placed.team_node_key,
        placed.region_node_key,
        others.node_key as other_node_key,
        shared.shared_level,
        coalesce(
            moves.left_by,
            moves.joined_by,
            case
                when moves.change_cents > 0 then 'increase'
                when moves.change_cents < 0 then 'decrease'
                else 'stayed'
            end
        ) as reason,
        moves.joined_by,
        moves.left_by,
        {{ cents_to_amount('moves.start_cents') }} as start_amount,
        {{ cents_to_amount('moves.joined_cents') }} as joined_amount,
        {{ cents_to_amount('moves.change_cents') }} as change_amount,
        {{ cents_to_amount('moves.left_cents') }} as left_amount,
        {{ cents_to_amount('moves.end_cents') }} as end_amount,
        moves.is_start,
        moves.is_end,
        {{ close_month('moves.start_month_no', 'start_months') }} as start_close_month,
        {{ close_month('moves.end_month_no', 'end_months') }} as end_close_month,
        run.as_of_date,
        run.run_id
    from moves
    cross join run
    inner join windows on moves.window_no = windows.window_no
    inner join opportunities on moves.okey = opportunities.okey
    inner join placed on moves.node_no = placed.node_no
    left join months as start_months on moves.start_month_no = start_months.month_no
    left join months as end_months on moves.end_month_no = end_months.month_no
    left join nodes as others on moves.other_node_no = others.node_no
    left join shared on moves.node_no = shared.node_no and moves.other_node_no = shared.other_node_no

)

select * from final
