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

standing as (

    {{ standing_after('by_node', 'day_no') }}

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
