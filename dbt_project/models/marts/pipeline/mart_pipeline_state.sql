-- Grain: one node, open stage, stated closing month and span of days during which nothing of it changed.

{{ config(materialized='view') }}

with spans as (

    select * from {{ in_version(ref('int_pipeline_spans')) }}

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
        nodes.node_key,
        coalesce(stages.stage, '(unknown)') as stage,
        cast(spans.stage_no as integer) as stage_no,
        coalesce(stages.forecast_category, 'omitted') as forecast_category,
        {{ close_month('spans.close_month_no', 'months') }} as close_month,
        spans.valid_from,
        spans.valid_to,
        cast(spans.open_count as bigint) as open_count,
        {{ cents_to_amount('spans.amount_cents') }} as open_amount,
        {{ cents_to_amount('spans.weighted_cents') }} as weighted_amount,
        run.as_of_date,
        run.run_id
    from spans
    cross join run
    inner join nodes on spans.node_no = nodes.node_no
    left join stages on spans.stage_no = stages.stage_no
    left join months on spans.close_month_no = months.month_no

)

select * from final
