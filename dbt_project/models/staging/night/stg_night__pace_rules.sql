-- Grain: one kind of period.

with source as (

    select * from {{ source('night', 'pace_rule') }}

),

final as (

    select
        period_kind,
        min_periods,
        min_events,
        daily_days
    from source

)

select * from final
