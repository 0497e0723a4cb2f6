-- Grain: one row per plan version × metric × period × node: given, else sum of its periods, else sum of nodes below.
with

own as (
    select * from {{ ref('int_targets_own') }}
),

ancestors as (
    select * from {{ ref('int_node_ancestors') }}
    where node_key <> ancestor_node_key
),

whole_below as (
    select distinct
        own.plan_version,
        own.metric,
        own.period_kind,
        own.period_start_on,
        ancestors.ancestor_node_key as node_key
    from own
    inner join ancestors on own.node_key = ancestors.node_key
    where own.is_complete
),

-- A sum of only some of a node's periods gives way to the nodes below, where one of these states the whole period.
standing as (
    select own.*
    from own
    left join whole_below
        on own.node_key = whole_below.node_key
            and {{ same_cell('own', 'whole_below') }}
    where own.is_complete or whole_below.node_key is null
),

upward as (
    select
        standing.*,
        ancestors.ancestor_node_key,
        ancestors.ancestor_level
    from standing
    inner join ancestors on standing.node_key = ancestors.node_key
),

-- The nearest node above that states a target of its own: there the sum from below ends, so that nothing counts twice.
nearest_standing as (
    select
        upward.plan_version,
        upward.metric,
        upward.period_kind,
        upward.period_start_on,
        upward.node_key,
        max(upward.ancestor_level) as ancestor_level
    from upward
    inner join standing
        on upward.ancestor_node_key = standing.node_key
            and {{ same_cell('upward', 'standing') }}
    group by
        upward.plan_version,
        upward.metric,
        upward.period_kind,
        upward.period_start_on,
        upward.node_key
),

summed as (
    select
        upward.plan_version,
        upward.metric,
        upward.period_kind,
        upward.period_start_on,
        upward.ancestor_node_key as node_key,
        cast(sum(upward.base_hundredths) as bigint) as base_hundredths,
        cast(
            case
                when count(upward.stretch_hundredths) > 0
                    then sum(coalesce(upward.stretch_hundredths, upward.base_hundredths))
            end as bigint
        ) as stretch_hundredths,
        'sum of nodes' as derivation,
        count(*) as n_parts,
        -- Who joins in the middle of a year has a plan for a part of it; the node above still has one for the whole.
        max(case when upward.is_complete then 1 else 0 end) = 1 as is_complete
    from upward
    left join nearest_standing
        on upward.node_key = nearest_standing.node_key
            and {{ same_cell('upward', 'nearest_standing') }}
    where
        upward.metric not in {{ rate_metrics() }}
        and (nearest_standing.ancestor_level is null or upward.ancestor_level > nearest_standing.ancestor_level)
    group by
        upward.plan_version,
        upward.metric,
        upward.period_kind,
        upward.period_start_on,
        upward.ancestor_node_key
),

stated as (
    select
        plan_version,
        metric,
        period_kind,
        period_start_on,
        node_key,
        base_hundredths,
        stretch_hundredths,
        derivation,
        n_parts,
        is_complete
    from standing
),

final as (
    select * from stated
    union all
    select * from summed
)

select * from final
