-- Grain: one published day, node, open stage and stated closing month in which a deal stood open.

{{ config(materialized='view') }}

with daily as (

    select * from {{ in_version(ref('int_pipeline_published_days')) }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ in_version(ref('int_nodes')) }}

),

stages as (

    select
        stage_no,
        stage,
        forecast_category
    from {{ in_version(ref('stg_night__stages')) }}

),

months as (

    select
        month_no,
        month_start_on
    from {{ in_version(ref('stg_night__fiscal_months')) }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

final as (

    select
        daily.day,
        nodes.node_key,
        coalesce(stages.stage, '(unknown)') as stage,
        cast(daily.stage_no as integer) as stage_no,
        coalesce(stages.forecast_category, 'omitted') as forecast_category,
        {{ close_month('daily.close_month_no', 'months') }} as close_month,
        cast(daily.open_count as bigint) as open_count,
        {{ cents_to_amount('daily.amount_cents') }} as open_amount,
        {{ cents_to_amount('daily.weighted_cents') }} as weighted_amount,
        run.as_of_date,
        run.run_id
    from daily
    cross join run
    inner join nodes on daily.node_no = nodes.node_no
    left join stages on daily.stage_no = stages.stage_no
    left join months on daily.close_month_no = months.month_no

)

select * from final
