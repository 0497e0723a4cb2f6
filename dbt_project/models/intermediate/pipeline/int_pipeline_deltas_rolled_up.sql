-- Grain: one node, open stage, closing month and day on which the open pipeline of that cell changed.

{{ config(materialized='view') }}

{% set measures = ['open_count', 'amount_cents', 'weighted_cents'] -%}

with nodes as (

    select
        nodes.node_no,
        parents.node_no as parent_node_no,
        parents.level as parent_level
    from {{ ref('int_nodes') }} as nodes
    inner join {{ ref('int_nodes') }} as parents on nodes.parent_node_key = parents.node_key

),

own as (

    select * from {{ ref('int_pipeline_deltas') }}

),

-- Level by level, because each level is much smaller than the one below it.
above_reps as (

    select
        nodes.parent_node_no as node_no,
        own.stage_no,
        own.close_month_no,
        own.day,
        {{ sum_each(measures, 'own') }}
    from own
    inner join nodes on own.node_no = nodes.node_no
    group by nodes.parent_node_no, own.stage_no, own.close_month_no, own.day

),

above_teams as (

    select
        nodes.parent_node_no as node_no,
        above_reps.stage_no,
        above_reps.close_month_no,
        above_reps.day,
        {{ sum_each(measures, 'above_reps') }}
    from above_reps
    inner join nodes on above_reps.node_no = nodes.node_no
    group by nodes.parent_node_no, above_reps.stage_no, above_reps.close_month_no, above_reps.day

),

above_regions as (

    select
        nodes.parent_node_no as node_no,
        above_teams.stage_no,
        above_teams.close_month_no,
        above_teams.day,
        {{ sum_each(measures, 'above_teams') }}
    from above_teams
    inner join nodes on above_teams.node_no = nodes.node_no
    group by nodes.parent_node_no, above_teams.stage_no, above_teams.close_month_no, above_teams.day

),

-- A node may be reached in one step from some and in two from others.
above as (

    select * from above_reps
    union all
    select * from above_teams
    union all
    select * from above_regions

),

above_summed as (

    select
        node_no,
        stage_no,
        close_month_no,
        day,
        {{ sum_each(measures) }}
    from above
    group by node_no, stage_no, close_month_no, day

),

final as (

    select * from own
    union all
    select * from above_summed

)

select * from final
