-- Grain: one row per metric of steps on the way × rep node × day: what was begun, entered, taken on, done.
with

nodes as (
    select
        node_no,
        node_key,
        user_id
    from {{ ref('int_nodes') }}
    where node_kind = 'rep'
),

unassigned as (
    select node_no
    from nodes
    where node_key = {{ unassigned_node_key() }}
),

-- Stages and kinds of activities that somebody asks for: of all of them there would be more rows than anybody reads.
members as (
    select * from {{ ref('int_metric_members') }}
),

opportunities as (
    select * from {{ ref('int_opportunities') }}
    where not is_deleted
),

stages as (
    select
        stages.stage_no,
        members.metric
    from {{ ref('stg_night__stages') }} as stages
    inner join members on lower(stages.stage) = members.member and members.family = 'entered'
),

types as (
    select distinct activity_type
    from {{ ref('int_activities') }}
),

kinds as (
    select
        types.activity_type,
        members.metric
    from types
    inner join members on lower(trim(types.activity_type)) = members.member and members.family = 'activities'
),

-- A deal enters a stage once, when it is first seen to get there; it ends in the one in which it closes.
entries as (
    select
        stages.metric,
        spells.node_no,
        spells.entered_on
    from {{ ref('int_stage_spells') }} as spells
    inner join stages on spells.stage_no = stages.stage_no
    where spells.is_first_entry and not spells.is_entry_assumed

    union all

    select
        stages.metric,
        opportunities.node_no,
        opportunities.closed_on as entered_on
    from opportunities
    inner join stages on opportunities.stage_no = stages.stage_no
    where opportunities.is_closed
),

counted as (
    select
        'created_count' as metric,
        node_no,
        created_on as happened_on,
        count(*) as n
    from opportunities
    group by node_no, created_on

    union all

    select
        metric,
        node_no,
        entered_on as happened_on,
        count(*) as n
    from entries
    group by metric, node_no, entered_on

    union all

    select
        'leads' as metric,
        node_no,
        created_on as happened_on,
        count(*) as n
    from {{ ref('int_leads') }}
    group by node_no, created_on

    union all

    select
        'qualified_leads' as metric,
        node_no,
        qualified_on as happened_on,
        count(*) as n
    from {{ ref('int_leads') }}
    where qualified_on is not null
    group by node_no, qualified_on

    union all

    select
        'activities' as metric,
        coalesce(nodes.node_no, unassigned.node_no) as node_no,
        activities.occurred_on as happened_on,
        count(*) as n
    from {{ ref('int_activities') }} as activities
    cross join unassigned
    left join nodes on activities.owner_id = nodes.user_id
    group by coalesce(nodes.node_no, unassigned.node_no), activities.occurred_on

    union all

    select
        kinds.metric,
        coalesce(nodes.node_no, unassigned.node_no) as node_no,
        activities.occurred_on as happened_on,
        count(*) as n
    from {{ ref('int_activities') }} as activities
    inner join kinds on activities.activity_type = kinds.activity_type
    cross join unassigned
    left join nodes on activities.owner_id = nodes.user_id
    group by kinds.metric, coalesce(nodes.node_no, unassigned.node_no), activities.occurred_on
),

final as (
    select
        metric,
        node_no,
        happened_on,
        cast(n as integer) as n
    from counted
)

select * from final
