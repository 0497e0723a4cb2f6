-- Grain: one row per plan version × metric × period × node: of plan files as allocated, of sources as rolled up.
with

plan_targets as (
    select * from {{ ref('stg_night__plan_targets') }}
),

versions as (
    select distinct
        plan_version,
        stated_version
    from {{ ref('int_plan_versions') }}
    where origin = 'source'
),

rolled_up as (
    select * from {{ ref('int_targets_rolled_up') }}
),

nodes as (
    select
        node_key,
        parent_node_key
    from {{ ref('int_nodes') }}
),

unioned as (
    select
        plan_version,
        'plan' as origin,
        metric,
        unit,
        period_kind,
        period_start_on,
        node_key,
        parent_node_key,
        base_hundredths,
        stretch_hundredths,
        derivation,
        cast(null as bigint) as n_parts,
        true as is_complete,
        weight,
        capacity,
        cast(rounding_hundredths as bigint) as rounding_hundredths
    from plan_targets

    union all

    select
        versions.plan_version,
        'source' as origin,
        rolled_up.metric,
        {{ metric_unit('rolled_up.metric') }} as unit,
        rolled_up.period_kind,
        rolled_up.period_start_on,
        rolled_up.node_key,
        nodes.parent_node_key,
        rolled_up.base_hundredths,
        rolled_up.stretch_hundredths,
        rolled_up.derivation,
        rolled_up.n_parts,
        rolled_up.is_complete,
        cast(null as double) as weight,
        cast(null as double) as capacity,
        cast(null as bigint) as rounding_hundredths
    from rolled_up
    inner join versions on rolled_up.plan_version = versions.stated_version
    left join nodes on rolled_up.node_key = nodes.node_key
),

-- Who is to be hired stands in the plan before the CRM knows them: kept, said, and part of the nodes above.
final as (
    select
        unioned.*,
        nodes.node_key is not null as is_node_known
    from unioned
    left join nodes on unioned.node_key = nodes.node_key
)

select * from final
