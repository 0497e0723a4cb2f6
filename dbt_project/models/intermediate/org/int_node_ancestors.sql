-- Grain: one node and one node it counts towards: itself and each one above it, in tonight's organisation.

{{ config(database=target.database, schema='basis') }}

with nodes as (

    select
        node_key,
        node_no,
        level,
        parent_node_key
    from {{ ref('int_nodes') }}

),

own as (

    select
        node_key,
        node_no,
        node_key as ancestor_node_key,
        node_no as ancestor_node_no,
        level as ancestor_level,
        parent_node_key as next_node_key
    from nodes

),

-- At most three levels stand above a node: rep, team, region, company.
first_above as (

    select
        own.node_key,
        own.node_no,
        nodes.node_key as ancestor_node_key,
        nodes.node_no as ancestor_node_no,
        nodes.level as ancestor_level,
        nodes.parent_node_key as next_node_key
    from own
    inner join nodes on own.next_node_key = nodes.node_key

),

second_above as (

    select
        first_above.node_key,
        first_above.node_no,
        nodes.node_key as ancestor_node_key,
        nodes.node_no as ancestor_node_no,
        nodes.level as ancestor_level,
        nodes.parent_node_key as next_node_key
    from first_above
    inner join nodes on first_above.next_node_key = nodes.node_key

),

third_above as (

    select
        second_above.node_key,
        second_above.node_no,
        nodes.node_key as ancestor_node_key,
        nodes.node_no as ancestor_node_no,
        nodes.level as ancestor_level,
        nodes.parent_node_key as next_node_key
    from second_above
    inner join nodes on second_above.next_node_key = nodes.node_key

),

all_steps as (

    select * from own
    union all
    select * from first_above
    union all
    select * from second_above
    union all
    select * from third_above

),

final as (

    select
        node_key,
        node_no,
        ancestor_node_key,
        ancestor_node_no,
        ancestor_level
    from all_steps

)

select * from final
