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

chosen as (
    select * from {{ ref('int_plan_versions_chosen') }}
),

periods as (
    select
        period_kind,
        period_start_on,
        period_end_on
    from {{ ref('int_periods_progressed') }}
),

-- Months in which the plan in force stood for the company alone.
undivided_months as (
    select
        plan_targets.metric,
        plan_targets.period_start_on as month_start_on
    from plan_targets
    inner join chosen
        on plan_targets.plan_version = chosen.plan_version
            and plan_targets.metric = chosen.metric
            and plan_targets.period_kind = chosen.period_kind
            and plan_targets.period_start_on = chosen.period_start_on
    where plan_targets.period_kind = 'month' and plan_targets.unit <> 'percent'
    group by plan_targets.metric, plan_targets.period_start_on
    having count(plan_targets.parent_node_key) = 0
),

-- Of a longer period with such a month, all other nodes have targets for a part, and results for the whole.
undivided as (
    select distinct
        undivided_months.metric,
        periods.period_kind,
        periods.period_start_on
    from undivided_months
    inner join periods
        on undivided_months.month_start_on between periods.period_start_on and periods.period_end_on
    where periods.period_kind <> 'month'
),

unioned as (
    select
        plan_targets.plan_version,
        'plan' as origin,
        plan_targets.metric,
        plan_targets.unit,
        plan_targets.period_kind,
        plan_targets.period_start_on,
        plan_targets.node_key,
        plan_targets.parent_node_key,
        plan_targets.base_hundredths,
        plan_targets.stretch_hundredths,
        plan_targets.derivation,
        cast(null as bigint) as n_parts,
        undivided.metric is null or plan_targets.parent_node_key is null as is_complete,
        plan_targets.weight,
        plan_targets.capacity,
        cast(plan_targets.rounding_hundredths as bigint) as rounding_hundredths
    from plan_targets
    left join undivided
        on plan_targets.metric = undivided.metric
            and plan_targets.period_kind = undivided.period_kind
            and plan_targets.period_start_on = undivided.period_start_on

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
