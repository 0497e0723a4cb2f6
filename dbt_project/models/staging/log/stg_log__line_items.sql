-- Grain: one change of a line_item (key line_item_id) on one night.

with source as (

    select * from {{ source('log', 'line_item') }}

),

final as (

    select
        line_item_id,
        contract_id,
        opportunity_id,
        product_id,
        account_id,
        owner_id,
        quantity,
        unit_price,
        amount,
        cost,
        currency,
        booked_on,
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
