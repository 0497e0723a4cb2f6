-- Grain: one change of a lead (key lead_id) on one night.

with source as (

    select * from {{ source('log', 'lead') }}

),

final as (

    select
        lead_id,
        name,
        source,
        quality,
        status,
        industry,
        segment,
        region,
        owner_id,
        created_at,
        created_on,
        first_touch_at,
        first_touch_on,
        converted_at,
        converted_on,
        opportunity_id,
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
