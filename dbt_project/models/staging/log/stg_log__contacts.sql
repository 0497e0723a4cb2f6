-- Grain: one change of a contact (key contact_id) on one night.

with source as (

    select * from {{ source('log', 'contact') }}

),

final as (

    select
        contact_id,
        account_id,
        name,
        title,
        phone,
        email,
        is_decision_maker,
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
