-- Grain: one rep, ISO week of the last 26 and open stage in which the rep had deals at the week's end.

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

weeks as (

    select * from {{ ref('int_weeks') }}
    where is_shown

),

load as (

    select * from {{ ref('int_rep_week_load') }}
    where open_count > 0

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

final as (

    select
        nodes.node_key,
        weeks.week_start_on,
        coalesce(stages.stage, '(unknown)') as stage,
        cast(load.stage_no as integer) as stage_no,
        load.open_count,
        {{ cents_to_amount('load.open_cents') }} as open_amount,
        load.piled as piled_count,
        weeks.is_running,
        run.as_of_date,
        run.run_id
    from load
    cross join run
    inner join weeks on load.week_no = weeks.week_no
    inner join nodes on load.node_no = nodes.node_no
    left join stages on load.stage_no = stages.stage_no

)

select * from final
