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
        response,
        outcome,
        _change,
        _valid_from,
        _source,
        _file,
        _row,
        _row_hash
    from source

)

select * from final
