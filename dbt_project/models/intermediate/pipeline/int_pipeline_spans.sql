-- Grain: one node above reps, open stage, stated closing month and span of days during which nothing of it changed.

{{ config(database=target.database, schema='basis') }}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

deltas as (

    select * from {{ ref('int_pipeline_deltas') }}

),

standing as (

    {{ standing_after('deltas', 'day') }}

),

final as (

    select
        standing.node_no,
        standing.stage_no,
        standing.close_month_no,
        standing.day as valid_from,
        coalesce({{ add_days('standing.next_day', -1) }}, run.as_of_date) as valid_to,
        cast(standing.open_count as integer) as open_count,
        cast(standing.amount_cents as bigint) as amount_cents,
        cast(standing.weighted_cents as bigint) as weighted_cents
    from standing
    cross join run
    where standing.open_count > 0

)

select * from final
