-- Grain: one plan version, metric, period and node.

with source as (

    select * from {{ source('night', 'plan_target') }}

),

final as (

    select
        plan_version,
        metric,
        unit,
        period_kind,
        period_start_on,
        node_key,
        parent_node_key,
        base_hundredths,
        stretch_hundredths,
        derivation,
        weight,
        capacity,
        rounding_hundredths
    from source

)

select * from final
