-- Grain: one snoozed deal.

with source as (

    select * from {{ source('night', 'snooze') }}

),

final as (

    select
        opportunity_id,
        from_on,
        until_on,
        reason,
        snoozed_by
    from source

)

select * from final
