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
    select
        stages.stage_no,
        members.metric
    from {{ ref('stg_night__stages') }} as stages
    inner join members on lower(stages.stage) = members.member and members.family = 'entered'
),

activities as (
    {{ current_rows('activity') }}
),

done as (
    select
        coalesce(reps.node_key, {{ unassigned_node_key() }}) as node_key,
        activities.occurred_on,
        activities.activity_type,
        count(*) as n
    from activities
    left join reps on activities.owner_id = reps.user_id
    group by
        coalesce(reps.node_key, {{ unassigned_node_key() }}),
        activities.occurred_on,
        activities.activity_type
),

types as (
    select distinct activity_type
    from done
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
        node_key,
        created_on as happened_on,
        count(*) as n
    from opportunities
    group by node_key, created_on

    union all

    select
        entries.metric,
        nodes.node_key,
        entries.entered_on as happened_on,
        count(*) as n
    from entries
    inner join nodes on entries.node_no = nodes.node_no
    group by entries.metric, nodes.node_key, entries.entered_on

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
        kinds.metric,
        done.node_key,
        done.occurred_on as happened_on,
        sum(done.n) as n
    from done
    inner join kinds on done.activity_type = kinds.activity_type
    group by kinds.metric, done.node_key, done.occurred_on
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
