-- Grain: one day.

with source as (

    select * from {{ source('night', 'calendar') }}

),

final as (

    select
        day,
        is_working_day,
        is_adjusted,
        is_published,
        holiday_name
    from source

)

select * from final
