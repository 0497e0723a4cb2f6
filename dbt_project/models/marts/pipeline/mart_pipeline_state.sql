-- Grain: one node, open stage, stated closing month and span of days during which nothing of it changed.

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
        stage,
        forecast_category
    from {{ ref('stg_night__stages') }}

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
        day as valid_from,
        lead(day) over by_day as next_day,
        cast(sum(open_count) over until_day as bigint) as open_count,
        cast(sum(amount_cents) over until_day as bigint) as amount_cents,
        cast(sum(weighted_cents) over until_day as bigint) as weighted_cents
    from deltas
    window
        by_day as (partition by node_no, stage_no, close_month_no order by day),
        until_day as (
            partition by node_no, stage_no, close_month_no order by day
            rows between unbounded preceding and current row
        )

),

final as (

    select
        nodes.node_key,
        coalesce(stages.stage, '(unknown)') as stage,
        cast(standing.stage_no as integer) as stage_no,
        coalesce(stages.forecast_category, 'omitted') as forecast_category,
        {{ close_month('standing.close_month_no', 'months') }} as close_month,
        standing.valid_from,
        coalesce({{ add_days('standing.next_day', -1) }}, run.as_of_date) as valid_to,
        standing.open_count,
        {{ cents_to_amount('standing.amount_cents') }} as open_amount,
        {{ cents_to_amount('standing.weighted_cents') }} as weighted_amount,
        run.as_of_date,
        run.run_id
    from standing
    cross join run
    inner join nodes on standing.node_no = nodes.node_no
    left join stages on standing.stage_no = stages.stage_no
    left join {{ ref('stg_night__fiscal_months') }} as months on standing.close_month_no = months.month_no
    where standing.open_count > 0

)

select * from final
