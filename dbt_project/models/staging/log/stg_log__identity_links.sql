-- Grain: one change of an identity_link (key kind, source_name, name) on one night.

with source as (

    select * from {{ source('log', 'identity_link') }}

),

final as (

    select
        kind,
        source_name,
        name,
        target_id,
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
