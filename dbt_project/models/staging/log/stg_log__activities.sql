-- Grain: one change of an activity (key activity_id) on one night.

with source as (

    select
        *,
        {{ place_in_log() }}
    from {{ source('log', 'activity') }}

),

final as (

    select
        activity_id,
        activity_type,
        opportunity_id,
        account_id,
        lead_id,
        owner_id,
        occurred_at,
        occurred_on,
        duration_min,
        subject,
        _change,
        _valid_from,
        coalesce(_observed_on, _valid_from) as _observed_on,
        _source,
        _file,
        _row,
        _row_hash,
        _log_file,
        _log_row
    from source

)

select * from final
