-- Grain: one opportunity ever seen, as last known; `is_deleted` where it has left the CRM or was merged into another.

{{ config(database=target.database, schema='basis') }}

with run as (

    select * from {{ ref('stg_night__run') }}

),

opportunities as (

    {{ current_rows('opportunity', with_deleted=true) }}

),

stages as (

    select * from {{ ref('stg_night__stage_names') }}

),

closings as (

    select * from {{ ref('int_opportunity_closings') }}

),

segments as (

    select * from {{ ref('int_segments') }}
    where segment_no <> {{ all_segments_no() }}

),

{{ owner_nodes() }},

merged as (

    select record_id
    from {{ ref('int_merged_records') }}
    where kind = 'opportunity' and not is_circular

),

merged_accounts as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

rates as (

    select * from {{ ref('int_fx_rates_daily') }}

),

dated as (

    select
        {{ dense_key('opportunities.opportunity_id') }} as okey,
        opportunities.opportunity_id,
        opportunities.name,
        coalesce(merged_accounts.surviving_id, opportunities.account_id) as account_id,
        opportunities.owner_id,
        opportunities.product_id,
        segments.segment,
        segments.segment_no,
        opportunities.region,
        opportunities.source,
        opportunities.forecast_category,
        stages.stage_no,
        case when stages.stage is null then opportunities.stage end as unlisted_stage,
        coalesce(stages.is_closed, false) as is_closed,
        coalesce(stages.is_won, false) as is_won,
        opportunities._change = 'deleted' or merged.record_id is not null as is_deleted,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        opportunities.amount,
        coalesce(opportunities.currency, run.reporting_currency) as currency,
        -- A deal without a creation date counts from the night that first saw it.
        coalesce(opportunities.created_on, opportunities._first_observed_on) as created_on,
        opportunities.created_at,
        opportunities.expected_close_on,
        opportunities.loss_reason,
        opportunities.competitor,
        opportunities.next_step,
        opportunities.modified_on,
        case when stages.is_closed then opportunities.closed_at end as closed_at,
        case when stages.is_closed then coalesce(opportunities.closed_on, closings.closed_on) end as closed_on,
        opportunities._first_observed_on as first_seen_on,
        opportunities._observed_on as last_changed_on,
        opportunities._source as log_source,
        -- A closing day still to come (or mistyped) has no rate yet: tonight's stands for it.
        case
            when stages.is_closed
                then least(coalesce(opportunities.closed_on, closings.closed_on, run.as_of_date), run.as_of_date)
            else run.as_of_date
        end as rate_on
    from opportunities
    cross join run
    cross join unassigned
    -- Each segment of the log has its number.
    inner join segments on {{ stated_value('opportunities.segment') }} = segments.segment
    left join stages on opportunities.stage = stages.stage
    left join closings
        on opportunities.opportunity_id = closings.opportunity_id and opportunities.stage = closings.stage
    left join reps on opportunities.owner_id = reps.user_id
    left join merged on opportunities.opportunity_id = merged.record_id
    left join merged_accounts on opportunities.account_id = merged_accounts.record_id

),

final as (

    select
        dated.okey,
        dated.opportunity_id,
        dated.name,
        dated.account_id,
        dated.owner_id,
        dated.product_id,
        dated.segment,
        dated.segment_no,
        dated.region,
        dated.source,
        dated.forecast_category,
        dated.stage_no,
        dated.unlisted_stage,
        dated.is_closed,
        dated.is_won,
        dated.is_deleted,
        dated.node_no,
        {{ reporting_cents('dated.amount', 'rates.rate', 'dated.currency', 'dated.rate_on') }} as amount_cents,
        dated.amount as amount_original,
        dated.currency,
        rates.rate,
        dated.created_on,
        dated.created_at,
        dated.expected_close_on,
        dated.loss_reason,
        dated.competitor,
        dated.next_step,
        dated.modified_on,
        dated.closed_at,
        dated.closed_on,
        dated.first_seen_on,
        dated.last_changed_on,
        dated.log_source
    from dated
    left join rates
        on
            dated.currency = rates.currency
            and dated.rate_on = rates.day

)

select * from final
