-- Grain: one pair of owners between whom a deal was transferred in a window: the level of the lowest node with both.

{{ config(database=target.database, schema='basis') }}

with handovers as (

    select distinct
        node_no,
        other_node_no
    from {{ ref('int_pipeline_pairs') }}
    where other_node_no is not null

),

-- Told from both sides.
pairs as (

    select
        node_no,
        other_node_no
    from handovers

    union

    select
        other_node_no as node_no,
        node_no as other_node_no
    from handovers

),

ancestors as (

    select
        node_no,
        ancestor_node_no,
        ancestor_level
    from {{ ref('int_node_ancestors') }}

),

final as (

    select
        pairs.node_no,
        pairs.other_node_no,
        max(ancestors.ancestor_level) as shared_level
    from pairs
    inner join ancestors on pairs.node_no = ancestors.node_no
    inner join ancestors as others
        on pairs.other_node_no = others.node_no and ancestors.ancestor_node_no = others.ancestor_node_no
    group by pairs.node_no, pairs.other_node_no

)

select * from final
