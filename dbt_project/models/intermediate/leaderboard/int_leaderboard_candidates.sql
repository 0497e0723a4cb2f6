-- Grain: one board, period and rep, team or region that may stand on it.
with

boards as (
    select * from {{ ref('stg_night__leaderboards') }}
),

people as (
    select * from {{ ref('int_people_by_period') }}
),

nodes as (
    select * from {{ ref('int_nodes') }}
    where node_kind in ('team', 'region')
),

attainment as (
    select distinct
        metric,
        period_kind,
        period_start_on,
        node_key
    from {{ ref('int_attainment_cells') }}
),

-- A board has a list for each period of which anything is known.
listed as (
    select distinct
        boards.*,
        periods.period_start_on,
        periods.is_current
    from boards
    inner join {{ ref('int_leaderboard_periods') }} as periods on boards.period_kind = periods.period_kind
    inner join attainment
        on boards.metric = attainment.metric
            and periods.period_kind = attainment.period_kind
            and periods.period_start_on = attainment.period_start_on
),

reps as (
    select
        listed.board_id,
        listed.period_kind,
        listed.period_start_on,
        people.rep_node_key as node_key,
        people.name,
        people.user_id
    from listed
    inner join people
        on listed.period_kind = people.period_kind and listed.period_start_on = people.period_start_on
    where
        listed.node_kind = 'rep'
        and case people.role
            when 'manager' then listed.is_for_managers
            when 'leader' then listed.is_for_leaders
            else listed.is_for_reps
        end
),

-- A team that stands tonight, and any that had a target or a result then.
standing_groups as (
    select
        listed.board_id,
        listed.period_kind,
        listed.period_start_on,
        nodes.node_key,
        nodes.name,
        cast(null as {{ dbt.type_string() }}) as user_id
    from listed
    inner join nodes on listed.node_kind = nodes.node_kind
    left join attainment
        on listed.metric = attainment.metric
            and listed.period_kind = attainment.period_kind
            and listed.period_start_on = attainment.period_start_on
            and nodes.node_key = attainment.node_key
    where attainment.node_key is not null or (listed.is_current and nodes.valid_to is null)
),

final as (
    select * from reps
    union all
    select * from standing_groups
)

select * from final
