-- Grain: one node and one node it counts towards: itself and each one above it, in tonight's organisation.

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

{% for step, before in [('first_above', 'own'), ('second_above', 'first_above'), ('third_above', 'second_above')] -%}
{{ step }} as (

    select
        {{ before }}.node_key,
        {{ before }}.node_no,
        nodes.node_key as ancestor_node_key,
        nodes.node_no as ancestor_node_no,
        nodes.level as ancestor_level,
        nodes.parent_node_key as next_node_key
    from {{ before }}
    inner join nodes on {{ before }}.next_node_key = nodes.node_key

),

{% endfor -%}
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
