-- Grain: one change of a headcount (key user_id) on one night.

with source as (

    select * from {{ source('log', 'headcount') }}

),

final as (

    select
        user_id,
        name,
        region,
        team,
        hired_on,
        left_on,
        ramp_months,
        quota_share,
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
