-- Grain: one change of a requirement (key requirement_id) on one night.

with source as (

    select * from {{ source('log', 'requirement') }}

),

final as (

    select
        requirement_id,
        opportunity_id,
        account_id,
        account_name,
        requirement_type,
        description,
        priority,
        pain_point,
        solution,
        confirmed_by,
        confirmed_on,
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
