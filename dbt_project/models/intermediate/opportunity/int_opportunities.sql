-- Grain: one opportunity ever seen, as last known; `is_deleted` where it has left the CRM.

with run as (

    select * from {{ ref('stg_night__run') }}

),

opportunities as (

    {{ current_rows('opportunity', with_deleted=true) }}

),

stages as (

    select * from {{ ref('stg_night__stages') }}

),

closings as (

    select * from {{ ref('int_opportunity_closings') }}

),

reps as (

    select
        user_id,
        node_key,
        node_no
    from {{ ref('int_nodes') }}
    where node_kind = 'rep'

),

unassigned as (

    select
        node_key,
        node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

),

rates as (

    select * from {{ ref('int_fx_rates_daily') }}

),

dated as (

    select
        {{ dense_key('opportunities.opportunity_id') }} as okey,
        opportunities.*,
        run.as_of_date,
        stages.stage_no,
        coalesce(stages.is_closed, false) as is_closed,
        coalesce(stages.is_won, false) as is_won,
        coalesce(reps.node_key, unassigned.node_key) as node_key,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        coalesce(opportunities.currency, run.reporting_currency) as money_currency,
        -- A deal without a creation date counts from the night that first saw it.
        coalesce(opportunities.created_on, opportunities._first_valid_from) as known_created_on,
        case when stages.is_closed then coalesce(opportunities.closed_on, closings.closed_on) end as known_closed_on
    from opportunities
    cross join run
    cross join unassigned
    left join stages on opportunities.stage = stages.stage
    left join closings
        on opportunities.opportunity_id = closings.opportunity_id and opportunities.stage = closings.stage
    left join reps on opportunities.owner_id = reps.user_id

),

final as (

    select
        dated.okey,
        dated.opportunity_id,
        dated.name,
        dated.account_id,
        dated.owner_id,
        dated.node_key,
        dated.node_no,
        dated.stage,
        dated.stage_no,
        dated.is_closed,
        dated.is_won,
        dated._change = 'deleted' as is_deleted,
        {{ reporting_cents('dated.amount', 'rates.rate', 'dated.money_currency',
                           'coalesce(dated.known_closed_on, dated.as_of_date)') }} as amount_cents,
        dated.amount as amount_original,
        dated.money_currency as currency,
        rates.rate,
        dated.created_at,
        dated.known_created_on as created_on,
        dated.expected_close_on,
        case when dated.is_closed then dated.closed_at end as closed_at,
        dated.known_closed_on as closed_on,
        dated.product_id,
        coalesce(dated.segment, '(none)') as segment,
        dated.region,
        dated.source,
        dated.forecast_category,
        dated.loss_reason,
        dated.competitor,
        dated.next_step,
        dated.modified_at,
        dated.modified_on,
        dated._first_valid_from as first_seen_on,
        dated._valid_from as last_changed_on
    from dated
    left join rates
        on
            dated.money_currency = rates.currency
            and coalesce(dated.known_closed_on, dated.as_of_date) = rates.day

)

select * from final
