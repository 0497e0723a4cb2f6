-- Grain: one node and role that one rule of one plan version pays.

with source as (

    select * from {{ source('night', 'incentive_scope') }}

),

final as (

    select
        plan_version,
        rule_id,
        node_key,
        role
    from source

)

select * from final
