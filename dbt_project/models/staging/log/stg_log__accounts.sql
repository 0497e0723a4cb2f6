-- Grain: one change of an account (key account_id) on one night.

with source as (

    select * from {{ source('log', 'account') }}

),

final as (

    select
        account_id,
        name,
        industry,
        segment,
        size_band,
        region,
        owner_id,
        parent_id,
        merged_into_id,
        created_at,
        created_on,
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
