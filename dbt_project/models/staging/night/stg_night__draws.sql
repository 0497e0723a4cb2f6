-- Grain: one advance on variable pay, of one person, in one plan version.

with source as (

    select * from {{ source('night', 'draw') }}

),

final as (

    select
        plan_version,
        user_id,
        period_kind,
        monthly_cents,
        from_on,
        until_on,
        is_recoverable
    from source

)

select * from final
