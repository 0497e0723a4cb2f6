-- Grain: one span of days of a node above reps, open stage and stated closing month; of a rep, of one deal.

{{ config(materialized='view') }}

with run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

open_states as (

    {{ open_states(in_version(ref('int_opportunity_events')), in_version(ref('int_stage_win_rates'))) }}

),

opportunities as (

    select
        okey,
        opportunity_id
    from {{ in_version(ref('int_opportunities')) }}

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

-- A rep's deals stand one by one: hardly two of them share stage, closing month and days.
spans as (

    select
        open_states.node_no,
        open_states.stage_no,
        open_states.close_month_no,
        open_states.okey,
        open_states.event_on as valid_from,
        coalesce({{ add_days('open_states.next_on', -1) }}, run.as_of_date) as valid_to,
        1 as open_count,
        open_states.amount_cents,
        open_states.weighted_cents
    from open_states
    cross join run

    union all

    select
        node_no,
        stage_no,
        close_month_no,
        null as okey,
        valid_from,
        valid_to,
        open_count,
        amount_cents,
        weighted_cents
    from {{ in_version(ref('int_pipeline_spans')) }}

),

final as (

    select
        nodes.node_key,
        coalesce(stages.stage, '(unknown)') as stage,
        cast(spans.stage_no as integer) as stage_no,
        coalesce(stages.forecast_category, 'omitted') as forecast_category,
        {{ close_month('spans.close_month_no', 'months') }} as close_month,
        opportunities.opportunity_id,
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
    -- The deal is named last, of the rows that a reader asks for.
    left join opportunities on spans.okey = opportunities.okey
    left join stages on spans.stage_no = stages.stage_no
    left join months on spans.close_month_no = months.month_no

)

select * from final
