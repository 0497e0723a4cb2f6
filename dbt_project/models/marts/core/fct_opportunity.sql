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

won_cycles as (

    select {{ quantile_of(days_between('created_on', 'closed_on'), 0.5) }} as median_cycle_days
    from opportunities
    where is_won and created_at is not null

),

expected as (

    select
        opportunities.*,
        run.as_of_date,
        run.run_id,
        win_rates.win_probability,
        win_rates.n_closed as win_probability_n,
        coalesce(progress.push_count, 0) as push_count,
        coalesce(progress.stage_entered_on, opportunities.created_on) as stage_entered_on,
        case
            when not opportunities.is_closed
                then greatest(
                    run.as_of_date,
                    coalesce(
                        opportunities.expected_close_on,
                        {{ add_days('opportunities.created_on', 'won_cycles.median_cycle_days') }},
                        run.as_of_date
                    )
                )
        end as forecast_close_on,
        case
            when not opportunities.is_closed
                then {{ weighted_cents('opportunities.amount_cents', 'win_rates.win_probability') }}
        end as weighted_cents
    from opportunities
    cross join run
    cross join won_cycles
    left join win_rates on opportunities.stage_no = win_rates.stage_no
    left join progress on opportunities.okey = progress.okey

),

final as (

    select
        opportunity_id,
        name,
        account_id,
        owner_id,
        node_key,
        stage,
        stage_no,
        is_closed,
        is_won,
        {{ cents_to_amount('amount_cents') }} as amount,
        amount_original,
        currency,
        created_at,
        created_on,
        expected_close_on,
        forecast_close_on,
        closed_at,
        closed_on,
        stage_entered_on,
        {{ days_between('created_on', 'coalesce(closed_on, as_of_date)') }} as age_days,
        product_id,
        segment,
        region,
        source,
        forecast_category,
        win_probability,
        win_probability_n,
        {{ cents_to_amount('weighted_cents') }} as weighted_amount,
        push_count,
        loss_reason,
        competitor,
        next_step,
        modified_on,
        first_seen_on,
        as_of_date,
        run_id
    from expected

)

select * from final
