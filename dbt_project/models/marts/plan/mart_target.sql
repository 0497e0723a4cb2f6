-- Grain: one row per plan version × metric × period × node.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

rolled_up as (
    select * from {{ ref('int_targets_rolled_up') }}
),

faulty as (
    select * from {{ ref('int_targets_resolved') }}
    where fault is not null
),

chosen as (
    select * from {{ ref('int_plan_versions_chosen') }}
),

unioned as (
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
        is_complete,
        cast(null as {{ dbt.type_string() }}) as fault
    from rolled_up

    union all

    select
        plan_version,
        metric,
        period_kind,
        period_start_on,
        node_key,
        base_hundredths,
        stretch_hundredths,
        'given' as derivation,
        1 as n_parts,
        true as is_complete,
        fault
    from faulty
),

final as (
    select
        unioned.plan_version,
        unioned.metric,
        unioned.period_kind,
        unioned.period_start_on,
        unioned.node_key,
        {{ cents_to_amount('unioned.base_hundredths') }} as target_base,
        {{ cents_to_amount('unioned.stretch_hundredths') }} as target_stretch,
        unioned.derivation,
        unioned.n_parts,
        unioned.is_complete,
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
