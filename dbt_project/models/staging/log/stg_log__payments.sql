-- Grain: one change of a payment (key payment_id) on one night.

with source as (

    select * from {{ source('log', 'payment') }}

),

final as (

    select
        payment_id,
        contract_id,
        installment,
        due_on,
        paid_on,
        amount,
        paid_amount,
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
