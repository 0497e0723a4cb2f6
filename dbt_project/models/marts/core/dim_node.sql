-- Grain: one node of the organisation per validity period.

with periods as (

    select * from {{ ref('int_node_periods') }}

),

nodes as (

    select * from {{ ref('int_nodes') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

-- At most three levels stand above a node: rep, team, region, company.
placed as (

    select
        periods.*,
        parents.name as parent_name,
        grandparents.name as grandparent_name,
        great_grandparents.name as great_grandparent_name
    from periods
    left join nodes as parents on periods.parent_node_key = parents.node_key
    left join nodes as grandparents on parents.parent_node_key = grandparents.node_key
    left join nodes as great_grandparents on grandparents.parent_node_key = great_grandparents.node_key

),

final as (

    select
        placed.node_key,
        placed.node_kind,
        placed.name,
        placed.user_id,
        placed.parent_node_key,
        coalesce(placed.great_grandparent_name || ' / ', '')
        || coalesce(placed.grandparent_name || ' / ', '')
        || coalesce(placed.parent_name || ' / ', '')
        || placed.name as path,
        placed.level,
        nodes.owner_user_id,
        nodes.owner_name,
        nodes.owner_email,
        nodes.owner_language,
        placed.valid_from,
        placed.valid_to,
        placed.is_current,
        run.as_of_date,
        run.run_id
    from placed
    inner join nodes on placed.node_key = nodes.node_key
    cross join run

)

select * from final
