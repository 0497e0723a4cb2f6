-- Grain: one node that has an owner: who answers for it tonight.

with users as (

    select
        users.*,
        {{ region_node_key('region') }} as region_node_key,
        {{ team_node_key('region', 'team') }} as team_node_key,
        case when coalesce(is_active, true) then 0 else 1 end as inactive_unit,
        coalesce(role, 'rep') in ('manager', 'leader') as leads_others
    from {{ ref('int_users') }} as users
    where not is_deleted

),

-- Candidates, the best first: `claim` is the kind of claim, `votes` how many people share it, then the id decides.
team_claims as (

    select
        team_node_key as node_key,
        user_id as owner_user_id,
        inactive_unit as claim,
        1 as votes
    from users
    where team_node_key is not null and role = 'manager'

    union all

    select
        team_node_key as node_key,
        manager_id as owner_user_id,
        2 as claim,
        count(*) as votes
    from users
    where team_node_key is not null and manager_id is not null and not leads_others
    group by team_node_key, manager_id

),

team_ranked as (

    select
        team_claims.*,
        row_number() over (partition by node_key order by claim asc, votes desc, owner_user_id asc) as place
    from team_claims

),

team_owners as (

    select
        node_key,
        owner_user_id
    from team_ranked
    where place = 1

),

teams as (

    select distinct
        team_node_key,
        region_node_key
    from users
    where team_node_key is not null

),

region_claims as (

    select
        region_node_key as node_key,
        user_id as owner_user_id,
        inactive_unit * 2 + case when role = 'leader' then 0 else 1 end as claim,
        1 as votes
    from users
    where region_node_key is not null and team_node_key is null and leads_others

    union all

    select
        teams.region_node_key as node_key,
        owners.manager_id as owner_user_id,
        4 as claim,
        count(*) as votes
    from teams
    inner join team_owners on teams.team_node_key = team_owners.node_key
    inner join users as owners on team_owners.owner_user_id = owners.user_id
    where teams.region_node_key is not null and owners.manager_id is not null
    group by teams.region_node_key, owners.manager_id

    union all

    select
        region_node_key as node_key,
        manager_id as owner_user_id,
        5 as claim,
        count(*) as votes
    from users
    where region_node_key is not null and team_node_key is null and manager_id is not null and not leads_others
    group by region_node_key, manager_id

),

region_ranked as (

    select
        region_claims.*,
        row_number() over (partition by node_key order by claim asc, votes desc, owner_user_id asc) as place
    from region_claims

),

company_ranked as (

    select
        users.user_id as owner_user_id,
        row_number() over (order by inactive_unit, user_id) as place
    from users
    where role = 'leader' and region_node_key is null

),

final as (

    select
        node_key,
        owner_user_id
    from team_owners

    union all

    select
        node_key,
        owner_user_id
    from region_ranked
    where place = 1

    union all

    select
        'company' as node_key,
        owner_user_id
    from company_ranked
    where place = 1

    union all

    select
        {{ rep_node_key('user_id') }} as node_key,
        user_id as owner_user_id
    from {{ ref('int_users') }}

)

select * from final
