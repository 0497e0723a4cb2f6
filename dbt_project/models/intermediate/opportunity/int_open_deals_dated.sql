-- Grain: one open opportunity in the CRM as of the night: when it is expected to close.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select
        okey,
        node_no,
        stage_no,
        amount_cents,
        is_closed,
        is_won,
        created_at,
        created_on,
        expected_close_on,
        closed_on
    from {{ ref('int_opportunities') }}
    where not is_deleted

),

won_cycles as (

    select {{ quantile_of(days_between('created_on', 'closed_on'), 0.5) }} as median_cycle_days
    from opportunities
    where is_won and created_at is not null

),

final as (

    select
        opportunities.okey,
        opportunities.node_no,
        opportunities.stage_no,
        opportunities.amount_cents,
        -- Where nobody states a date, a usual cycle after creation; what is overdue counts in the running period.
        greatest(
            run.as_of_date,
            coalesce(
                opportunities.expected_close_on,
                {{ add_days('opportunities.created_on', 'won_cycles.median_cycle_days') }},
                run.as_of_date
            )
        ) as forecast_close_on
    from opportunities
    cross join run
    cross join won_cycles
    where not opportunities.is_closed

)

select * from final
