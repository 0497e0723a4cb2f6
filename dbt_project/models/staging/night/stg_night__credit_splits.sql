-- Grain: one share of a deal or contract, of one person, in one plan version.

with source as (

    select * from {{ source('night', 'credit_split') }}

),

final as (

    select
        plan_version,
        record_id,
        user_id,
        share,
        reason
    from source

)

select * from final
