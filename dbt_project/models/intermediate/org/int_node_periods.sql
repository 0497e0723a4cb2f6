-- Grain: one node of the organisation per validity period.

with run as (

    select * from {{ ref('stg_night__run') }}

),

stays as (

    select * from {{ ref('int_user_node_periods') }}

),

company as (

    select
        'company' as node_key,
        'company' as node_kind,
        run.company_name as name,
        cast(null as {{ dbt.type_string() }}) as user_id,
        cast(null as {{ dbt.type_string() }}) as parent_node_key,
        0 as level,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from run

),

-- A region or team stands from the night its first person was seen in it until the last one left.
regions as (

    select
        region_node_key as node_key,
        'region' as node_kind,
        region as name,
        cast(null as {{ dbt.type_string() }}) as user_id,
        'company' as parent_node_key,
        1 as level,
        min(valid_from) as valid_from,
        case when count(valid_to) = count(*) then max(valid_to) end as valid_to
    from stays
    where region_node_key is not null
    group by region_node_key, region

),

teams as (

    select
        team_node_key as node_key,
        'team' as node_kind,
        team as name,
        cast(null as {{ dbt.type_string() }}) as user_id,
        coalesce(region_node_key, 'company') as parent_node_key,
        2 as level,
        min(valid_from) as valid_from,
        case when count(valid_to) = count(*) then max(valid_to) end as valid_to
    from stays
    where team_node_key is not null
    group by team_node_key, team, region_node_key

),

reps as (

    select
        {{ rep_node_key('user_id') }} as node_key,
        'rep' as node_kind,
        name,
        user_id,
        parent_node_key,
        3 as level,
        valid_from,
        valid_to
    from stays

),

unassigned as (

    select
        {{ unassigned_node_key() }} as node_key,
        'rep' as node_kind,
        '(unassigned)' as name,
        cast(null as {{ dbt.type_string() }}) as user_id,
        'company' as parent_node_key,
        3 as level,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from run

),

nodes as (

    select * from company
    union all
    select * from regions
    union all
    select * from teams
    union all
    select * from reps
    union all
    select * from unassigned

),

final as (

    select
        nodes.*,
        row_number() over (partition by node_key order by valid_from desc) = 1 as is_current
    from nodes

)

select * from final
