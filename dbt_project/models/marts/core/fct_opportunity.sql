-- Grain: one opportunity in the CRM as of the night.

{{ config(materialized='view') }}

with opportunities as (

    select * from {{ in_version(ref('int_opportunities')) }}
    where not is_deleted

),

progress as (

    select * from {{ in_version(ref('int_opportunity_progress')) }}

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
        stage
    from {{ in_version(ref('stg_night__stages')) }}

),

win_rates as (

    select
        stage_no,
        win_probability,
        n_closed
    from {{ in_version(ref('int_stage_win_rates')) }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

final as (

    select
        opportunities.opportunity_id,
        opportunities.name,
        opportunities.account_id,
        opportunities.owner_id,
        nodes.node_key,
        coalesce(stages.stage, opportunities.unlisted_stage) as stage,
        opportunities.stage_no,
        opportunities.is_closed,
        opportunities.is_won,
        {{ cents_to_amount('opportunities.amount_cents') }} as amount,
        opportunities.amount_original,
        opportunities.currency,
        opportunities.created_at,
        opportunities.created_on,
        opportunities.expected_close_on,
        progress.forecast_close_on,
        opportunities.closed_at,
        opportunities.closed_on,
        progress.stage_entered_on,
        {{ days_between('opportunities.created_on', 'coalesce(opportunities.closed_on, run.as_of_date)') }} as age_days,
        opportunities.product_id,
        opportunities.segment,
        opportunities.region,
        opportunities.source,
        opportunities.forecast_category,
        win_rates.win_probability,
        win_rates.n_closed as win_probability_n,
        case
            when not opportunities.is_closed
                then {{ cents_to_amount(weighted_cents('opportunities.amount_cents', 'win_rates.win_probability')) }}
        end as weighted_amount,
        progress.push_count,
        progress.push_days,
        opportunities.loss_reason,
        opportunities.competitor,
        opportunities.next_step,
        opportunities.modified_on,
        opportunities.first_seen_on,
        run.as_of_date,
        run.run_id
    from opportunities
    cross join run
    inner join nodes on opportunities.node_no = nodes.node_no
    inner join progress on opportunities.okey = progress.okey
    left join stages on opportunities.stage_no = stages.stage_no
    left join win_rates on opportunities.stage_no = win_rates.stage_no

)

select * from final
