-- Grain: one wording of a delivery period that can be read.

with source as (

    select * from {{ source('night', 'delivery_terms') }}

),

final as (

    select
        delivery_terms,
        length as delivery_length,
        unit as delivery_unit
    from source

)

select * from final
