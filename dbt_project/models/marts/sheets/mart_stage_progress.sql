-- Grain: one customer in one stage, as a team's progress sheet keeps it.

with progress as (

    {{ current_rows('stage_progress') }}

),

stages as (

    select * from {{ ref('stg_night__stages') }}

),

merged as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

accounts as (

    select
        account_id,
        name
    from {{ ref('dim_account') }}

),

{{ rep_nodes('node_key') }},

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

latest as (

    select
        account_name,
        max(started_on) as started_on
    from progress
    group by account_name

),

final as (

    select
        progress.account_name as account_name_written,
        coalesce(merged.surviving_id, progress.account_id) as account_id,
        coalesce(accounts.name, progress.account_name) as account_name,
        progress.stage,
        stages.stage_no,
        progress.started_on,
        progress.expected_done_on,
        {{ days_between('progress.started_on', 'run.as_of_date') }} as days_in_stage,
        latest.started_on is not null as is_latest,
        coalesce(
            latest.started_on is not null and not stages.is_closed and progress.expected_done_on < run.as_of_date, false
        ) as is_overdue,
        progress.done_actions,
        progress.todo,
        progress.risks,
        progress.owner_id,
        progress.owner_name,
        coalesce(reps.node_key, {{ unassigned_node_key() }}) as node_key,
        run.as_of_date,
        run.run_id
    from progress
    cross join run
    left join stages on progress.stage = stages.stage
    left join merged on progress.account_id = merged.record_id
    left join accounts on coalesce(merged.surviving_id, progress.account_id) = accounts.account_id
    left join reps on progress.owner_id = reps.user_id
    left join latest on progress.account_name = latest.account_name and progress.started_on = latest.started_on

)

select * from final
