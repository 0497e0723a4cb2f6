-- Grain: one node whose calendar is stated.

with source as (

    select * from {{ source('night', 'node_calendar') }}

),

final as (

    select
        node_key,
        calendar
    from source

)

select * from final
