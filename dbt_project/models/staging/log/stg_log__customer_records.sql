-- Grain: one change of a customer_record (key account_name, contact_name) on one night.

with source as (

    select * from {{ source('log', 'customer_record') }}

),

final as (

    select
        account_name,
        account_id,
        contact_name,
        industry,
        size_band,
        contact_title,
        contact_details,
        lead_source,
        status,
        owner_name,
        owner_id,
        first_contact_on,
        expected_close_on,
        remark,
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
