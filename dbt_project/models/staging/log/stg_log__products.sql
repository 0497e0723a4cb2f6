-- Grain: one change of a product (key product_id) on one night.

with source as (

    select * from {{ source('log', 'product') }}

),

final as (

    select
        product_id,
        name,
        category,
        list_price,
        currency,
        _change,
        _valid_from,
        coalesce(_observed_on, _valid_from) as _observed_on,
        _source,
        _file,
        _row,
        _row_hash
    from source

)

select * from final
