-- Grain: one change of an opportunity_history (key opportunity_id, changed_at, history_id) on one night.

with source as (

    select * from {{ source('log', 'opportunity_history') }}

),

final as (

    select
        opportunity_id,
        changed_at,
        changed_on,
        history_id,
        stage,
        amount,
        currency,
        expected_close_on,
        owner_id,
        forecast_category,
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
