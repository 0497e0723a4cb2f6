-- Grain: one condition of one rule of one plan version.

with source as (

    select * from {{ source('night', 'incentive_condition') }}

),

final as (

    select
        plan_version,
        rule_id,
        condition_no,
        metric,
        metric_name_en,
        metric_name_zh,
        unit,
        attainment_at_least,
        value_at_least_hundredths
    from source

)

select * from final
