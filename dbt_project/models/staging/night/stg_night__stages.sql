-- Grain: one stage.

{{ config(materialized='table', database=target.database, schema='basis') }}

with source as (

    select * from {{ source('night', 'stage') }}

),

final as (

    select
        stage,
        stage_no,
        name_en,
        name_zh,
        is_closed,
        is_won,
        forecast_category,
        default_win_probability
    from source

)

select * from final
