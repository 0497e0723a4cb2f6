-- Grain: one row per plan version × metric × period × node.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

planned as (
    select * from {{ ref('int_targets_planned') }}
),

faulty as (
    select * from {{ ref('int_targets_resolved') }}
    where fault is not null
),

source_versions as (
    select distinct
        plan_version,
        stated_version
    from {{ ref('int_plan_versions') }}
    where origin = 'source'
),

chosen as (
    select * from {{ ref('int_plan_versions_chosen') }}
),

unioned as (
    select
        plan_version,
        origin,
        metric,
        unit,
        period_kind,
        period_start_on,
        node_key,
        parent_node_key,
        is_node_known,
        base_hundredths,
        stretch_hundredths,
        derivation,
        n_parts,
        is_complete,
        weight,
        capacity,
        rounding_hundredths,
        cast(null as {{ dbt.type_string() }}) as fault
    from planned

    union all

    select
        source_versions.plan_version,
        'source' as origin,
        faulty.metric,
        {{ metric_unit('faulty.metric') }} as unit,
        faulty.period_kind,
        faulty.period_start_on,
        faulty.node_key,
        cast(null as {{ dbt.type_string() }}) as parent_node_key,
        false as is_node_known,
        faulty.base_hundredths,
        faulty.stretch_hundredths,
        'given' as derivation,
        1 as n_parts,
        true as is_complete,
        cast(null as double) as weight,
        cast(null as double) as capacity,
        cast(null as bigint) as rounding_hundredths,
        faulty.fault
    from faulty
    inner join source_versions on faulty.plan_version = source_versions.stated_version
),

final as (
    select
        unioned.plan_version,
        unioned.origin,
        unioned.metric,
        unioned.unit,
        unioned.period_kind,
        unioned.period_start_on,
        unioned.node_key,
        unioned.parent_node_key,
        unioned.is_node_known,
        {{ cents_to_amount('unioned.base_hundredths') }} as target_base,
        {{ cents_to_amount('unioned.stretch_hundredths') }} as target_stretch,
        unioned.derivation,
        unioned.n_parts,
        unioned.is_complete,
        unioned.weight,
        unioned.capacity,
        {{ cents_to_amount('unioned.rounding_hundredths') }} as rounding,
        unioned.fault is null and chosen.plan_version is not null as is_measured_against,
        unioned.fault,
        runs.as_of_date,
        runs.run_id
    from unioned
    cross join runs
    left join chosen
        on unioned.plan_version = chosen.plan_version
            and unioned.metric = chosen.metric
            and unioned.period_kind = chosen.period_kind
            and unioned.period_start_on = chosen.period_start_on
)

select * from final
