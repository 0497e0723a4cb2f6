-- Grain: one published day, node, open stage and stated closing month in which a deal stood open.

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

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

days as (

    select
        day,
        shows_on_day_no as day_no
    from {{ ref('int_pipeline_days') }}
    where is_published

),

last_day as (

    select max(day_no) as last_day_no
    from days

),

deltas as (

    select * from {{ ref('int_pipeline_deltas_rolled_up') }}

),

-- What stands after each change, until the next one: no deal is ever laid against a calendar.
standing as (

    select
        node_no,
        stage_no,
        close_month_no,
        day_no,
        lead(day_no) over by_day as next_day_no,
        sum(open_count) over until_day as open_count,
        sum(amount_cents) over until_day as amount_cents,
        sum(weighted_cents) over until_day as weighted_cents
    from deltas
    window
        by_day as (partition by node_no, stage_no, close_month_no order by day_no),
        until_day as (
            partition by node_no, stage_no, close_month_no order by day_no
            rows between unbounded preceding and current row
        )

),

repeated as (

    select
        standing.node_no,
        standing.stage_no,
        standing.close_month_no,
        standing.open_count,
        standing.amount_cents,
        standing.weighted_cents,
        {{ each_number('standing.day_no', 'coalesce(standing.next_day_no, last_day.last_day_no + 1)') }} as day_no
    from standing
    cross join last_day
    where standing.open_count > 0

),

final as (

    select
        days.day,
        nodes.node_key,
        coalesce(stages.stage, '(unknown)') as stage,
        cast(repeated.stage_no as integer) as stage_no,
        case when repeated.close_month_no > 0 then {{ month_of_number('repeated.close_month_no') }} end as close_month,
        cast(repeated.open_count as bigint) as open_count,
        {{ cents_to_amount('repeated.amount_cents') }} as open_amount,
        {{ cents_to_amount('repeated.weighted_cents') }} as weighted_amount,
        run.as_of_date,
        run.run_id
    from repeated
    cross join run
    inner join days on repeated.day_no = days.day_no
    inner join nodes on repeated.node_no = nodes.node_no
    left join stages on repeated.stage_no = stages.stage_no

)

select * from final
