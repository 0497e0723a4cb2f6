-- Grain: one change of a target (plan version × metric × period × node, by kind and name) on one night.

with source as (

    select * from {{ source('log', 'target') }}

),

final as (

    select
        plan_version,
        metric,
        period_kind,
        period_start_on,
        node_kind,
        node_name,
        base,
        stretch,
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
