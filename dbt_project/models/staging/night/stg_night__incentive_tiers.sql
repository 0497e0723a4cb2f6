-- Grain: one tier of one rule of one plan version.

with source as (

    select * from {{ source('night', 'incentive_tier') }}

),

final as (

    select
        plan_version,
        rule_id,
        tier_no,
        at_least,
        next_at_least,
        rate
    from source

)

select * from final
