-- Grain: one published day, node, open stage and stated closing month in which a deal stood open.

{{ config(database=target.database, schema='basis') }}

with {{ parents_and_ancestors() }},

own as (

    select * from {{ ref('int_pipeline_published_changes') }}

),

{{ at_every_node('own', ['stage_no', 'close_month_no', 'day_no'], ['open_count', 'amount_cents', 'weighted_cents']) }},

days as (

    select
        day,
        shows_on_day_no as day_no
    from {{ ref('int_pipeline_days') }}
    where is_published

),

last_day as (

    select max(day_no) as last_day_no from days

),

-- What stands after each change, until the published day of the next one.
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
    from by_node
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
        cast(standing.open_count as integer) as open_count,
        cast(standing.amount_cents as bigint) as amount_cents,
        cast(standing.weighted_cents as bigint) as weighted_cents,
        {{ each_number('standing.day_no', 'coalesce(standing.next_day_no, last_day.last_day_no + 1)') }} as day_no
    from standing
    cross join last_day
    where standing.open_count > 0

),

final as (

    select
        days.day,
        repeated.node_no,
        repeated.stage_no,
        repeated.close_month_no,
        repeated.open_count,
        repeated.amount_cents,
        repeated.weighted_cents
    from repeated
    inner join days on repeated.day_no = days.day_no

)

select * from final
