-- Grain: one row of the activity log that is not how its activity stands tonight: superseded, or deleted.

{#
    As in `current_rows`, a key has several rows only if one of them says `changed` or `deleted`. The keys of millions
    of activities are read for this once; readers leave out rows by their place in the log, which is a small number.
#}

with touched_keys as (

    select distinct activity_id
    from {{ ref('stg_log__activities') }}
    where _change <> 'new'

),

touched as (

    select
        log_rows._log_file,
        log_rows._log_row,
        log_rows._change,
        log_rows._observed_on,
        max(log_rows._observed_on) over (partition by log_rows.activity_id) as _last_observed_on
    from {{ ref('stg_log__activities') }} as log_rows
    inner join touched_keys on log_rows.activity_id = touched_keys.activity_id

),

final as (

    select
        _log_file,
        _log_row
    from touched
    where _observed_on < _last_observed_on or _change = 'deleted'

)

select * from final
