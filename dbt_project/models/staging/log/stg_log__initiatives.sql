-- Grain: one change of an initiative (key initiative_id) on one night.

with source as (

    select * from {{ source('log', 'initiative') }}

),

final as (

    select
        initiative_id,
        goal,
        action,
        dri,
        starts_on,
        due_on,
        metric,
        status,
        budget,
        lead_source,
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
