-- Grain: one way in which the change log may write a stage.

with source as (

    select * from {{ source('night', 'stage_name') }}

),

final as (

    select
        stage,
        stage_no,
        is_closed,
        is_won
    from source

)

select * from final
