-- Grain: one node and the calendar that it works by: its own, that of the nearest node above, the company's.

with nodes as (

    select node_key from {{ ref('int_nodes') }}

),

ancestors as (

    select * from {{ ref('int_node_ancestors') }}

),

stated as (

    select * from {{ ref('stg_night__node_calendars') }}

),

company as (

    select min(calendar) as calendar
    from {{ ref('stg_night__calendar_days') }}
    where is_company

),

nearest as (

    select
        ancestors.node_key,
        {{ arg_max('stated.calendar', 'ancestors.ancestor_level') }} as calendar
    from ancestors
    inner join stated on ancestors.ancestor_node_key = stated.node_key
    group by ancestors.node_key

),

final as (

    select
        nodes.node_key,
        coalesce(nearest.calendar, company.calendar) as calendar
    from nodes
    cross join company
    left join nearest on nodes.node_key = nearest.node_key

)

select * from final
