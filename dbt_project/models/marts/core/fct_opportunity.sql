-- Grain: one opportunity in the CRM as of the night.

with opportunities as (

    select * from {{ ref('int_opportunities') }}
    where not is_deleted

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

win_rates as (

    select * from {{ ref('int_stage_win_rates') }}

),

progress as (

    select * from {{ ref('int_opportunity_progress') }}

),

merged_accounts as (

    select
        record_id,
        surviving_id
    from {{ ref('int_merged_records') }}
    where kind = 'account'

),

described as (

    {{ current_rows('opportunity') }}

),

expected as (

    select
        opportunities.*,
        run.as_of_date,
        run.run_id,
        win_rates.win_probability,
        win_rates.n_closed as win_probability_n,
        progress.push_count,
        progress.push_days,
        progress.stage_entered_on,
        progress.forecast_close_on,
        case
            when not opportunities.is_closed
                then {{ weighted_cents('opportunities.amount_cents', 'win_rates.win_probability') }}
        end as weighted_cents
    from opportunities
    cross join run
    left join win_rates on opportunities.stage_no = win_rates.stage_no
    inner join progress on opportunities.okey = progress.okey

),

final as (

    select
        expected.opportunity_id,
        described.name,
        coalesce(merged_accounts.surviving_id, expected.account_id) as account_id,
        expected.owner_id,
        expected.node_key,
        described.stage,
        expected.stage_no,
        expected.is_closed,
        expected.is_won,
        {{ cents_to_amount('expected.amount_cents') }} as amount,
        expected.amount_original,
        expected.currency,
        described.created_at,
        expected.created_on,
        expected.expected_close_on,
        expected.forecast_close_on,
        case when expected.is_closed then described.closed_at end as closed_at,
        expected.closed_on,
        expected.stage_entered_on,
        {{ days_between('expected.created_on', 'coalesce(expected.closed_on, expected.as_of_date)') }} as age_days,
        expected.product_id,
        expected.segment,
        described.region,
        described.source,
        described.forecast_category,
        expected.win_probability,
        expected.win_probability_n,
        {{ cents_to_amount('expected.weighted_cents') }} as weighted_amount,
        expected.push_count,
        expected.push_days,
        described.loss_reason,
        described.competitor,
        described.next_step,
        described.modified_on,
        expected.first_seen_on,
        expected.as_of_date,
        expected.run_id
    from expected
    inner join described on expected.opportunity_id = described.opportunity_id
    left join merged_accounts on expected.account_id = merged_accounts.record_id

)

select * from final
