-- Grain: one change of a contract (key contract_id) on one night.

with source as (

    select * from {{ source('log', 'contract') }}

),

final as (

    select
        contract_id,
        opportunity_id,
        account_id,
        account_name,
        owner_id,
        owner_name,
        amount,
        cost,
        currency,
        signed_on,
        status,
        payment_terms,
        delivery_terms,
        main_terms,
        archive_status,
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
