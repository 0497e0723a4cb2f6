-- Grain: one change of a user (key user_id) on one night.

with source as (

    select * from {{ source('log', 'user') }}

),

final as (

    select
        user_id,
        name,
        email,
        manager_id,
        role,
        region,
        team,
        is_active,
        hired_on,
        left_on,
        language,
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
