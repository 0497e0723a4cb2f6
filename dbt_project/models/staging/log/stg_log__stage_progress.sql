-- Grain: one change of a stage_progress (key account_name, stage, started_on) on one night.

with source as (

    select * from {{ source('log', 'stage_progress') }}

),

final as (

    select
        account_name,
        account_id,
        stage,
        started_on,
        expected_done_on,
        done_actions,
        todo,
        risks,
        owner_name,
        owner_id,
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
