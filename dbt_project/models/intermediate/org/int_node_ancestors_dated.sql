-- Grain: one node, one node it counted towards, and the days on which it did.

with stays as (

    select
        node_key,
        parent_node_key,
        valid_from
    from {{ ref('int_node_periods') }}
    where node_kind = 'rep' and valid_from is not null

),

nodes as (

    select
        node_key,
        node_no
    from {{ ref('int_nodes') }}

),

ancestors as (

    select * from {{ ref('int_node_ancestors') }}

),

-- The first place known stands for all that came before it, and each place until the next one: also while a person was
-- not among the users, so that whatever happened is somebody's.
spans as (

    select
        stays.node_key,
        nodes.node_no,
        stays.parent_node_key,
        case
            when row_number() over (partition by stays.node_key order by stays.valid_from) = 1
                then cast('0001-01-01' as date)
            else stays.valid_from
        end as valid_from,
        coalesce(
            {{ add_days('lead(stays.valid_from) over (partition by stays.node_key order by stays.valid_from)', -1) }},
            cast('9999-12-31' as date)
        ) as valid_to
    from stays
    inner join nodes on stays.node_key = nodes.node_key

),

moving as (

    select distinct node_key from stays

),

-- Only people move: a team of another region is another team.
always as (

    select
        ancestors.node_key,
        ancestors.node_no,
        ancestors.ancestor_node_key,
        ancestors.ancestor_node_no,
        ancestors.ancestor_level,
        cast('0001-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to
    from ancestors
    left join moving on ancestors.node_key = moving.node_key
    where moving.node_key is null or ancestors.node_key = ancestors.ancestor_node_key

),

dated as (

    select
        spans.node_key,
        spans.node_no,
        ancestors.ancestor_node_key,
        ancestors.ancestor_node_no,
        ancestors.ancestor_level,
        spans.valid_from,
        spans.valid_to
    from spans
    inner join ancestors on spans.parent_node_key = ancestors.node_key

),

final as (

    select * from always
    union all
    select * from dated

)

select * from final
