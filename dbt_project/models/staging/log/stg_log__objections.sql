-- Grain: one change of an objection (key objection_id) on one night.

with source as (

    select * from {{ source('log', 'objection') }}

),

final as (

    select
        objection_id,
        opportunity_id,
        objection_type,
        stage,
        raised_on,
        resolved_on,
        response,
        outcome,
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
