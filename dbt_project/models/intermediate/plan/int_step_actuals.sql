-- Grain: one row per metric of steps on the way × rep node × day: what was begun, entered, taken on, done.
with

nodes as (
    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}
),

reps as (
    select
        user_id,
        node_key
    from {{ ref('int_nodes') }}
    where node_kind = 'rep' and user_id is not null
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
    select * from {{ ref('stg_night__stages') }}
),

activities as (
    {{ current_rows('activity') }}
),

done as (
    select
        coalesce(reps.node_key, {{ unassigned_node_key() }}) as node_key,
        activities.occurred_on,
        lower(trim(activities.activity_type)) as kind,
        count(*) as n
    from activities
    left join reps on activities.owner_id = reps.user_id
    group by
        coalesce(reps.node_key, {{ unassigned_node_key() }}),
        activities.occurred_on,
        lower(trim(activities.activity_type))
),

-- A deal enters a stage once, when it is first seen to get there; it ends in the one in which it closes.
entries as (
    select
        stage_no,
        node_no,
        entered_on
    from {{ ref('int_stage_spells') }}
    where is_first_entry and not is_entry_assumed

    union all

    select
        stage_no,
        node_no,
        closed_on as entered_on
    from opportunities
    where is_closed
),

counted as (
    select
        'created_count' as metric,
        node_key,
        created_on as happened_on,
        count(*) as n
    from opportunities
    group by node_key, created_on

    union all

    select
        members.metric,
        nodes.node_key,
        entries.entered_on as happened_on,
        count(*) as n
    from entries
    inner join stages on entries.stage_no = stages.stage_no
    inner join members on lower(stages.stage) = members.member and members.family = 'entered'
    inner join nodes on entries.node_no = nodes.node_no
    group by members.metric, nodes.node_key, entries.entered_on

    union all

    select
        'leads' as metric,
        nodes.node_key,
        leads.created_on as happened_on,
        count(*) as n
    from {{ ref('int_leads') }} as leads
    inner join nodes on leads.node_no = nodes.node_no
    group by nodes.node_key, leads.created_on

    union all

    select
        'qualified_leads' as metric,
        nodes.node_key,
        leads.qualified_on as happened_on,
        count(*) as n
    from {{ ref('int_qualified_leads') }} as leads
    inner join nodes on leads.node_no = nodes.node_no
    group by nodes.node_key, leads.qualified_on

    union all

    select
        'activities' as metric,
        node_key,
        occurred_on as happened_on,
        sum(n) as n
    from done
    group by node_key, occurred_on

    union all

    select
        members.metric,
        done.node_key,
        done.occurred_on as happened_on,
        sum(done.n) as n
    from done
    inner join members on done.kind = members.member and members.family = 'activities'
    group by members.metric, done.node_key, done.occurred_on
),

final as (
    select
        metric,
        node_key,
        happened_on,
        cast(n as bigint) as n
    from counted
)

select * from final
