-- Grain: one change of a fx_rate (key currency, valid_from) on one night.

with source as (

    select * from {{ source('log', 'fx_rate') }}

),

final as (

    select
        currency,
        valid_from,
        rate,
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
