-- Grain: one change of a store (key store_id) on one night.

with source as (

    select * from {{ source('log', 'store') }}

),

final as (

    select
        store_id,
        name,
        channel,
        region,
        city,
        owner_id,
        weight,
        opened_on,
        is_active,
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
