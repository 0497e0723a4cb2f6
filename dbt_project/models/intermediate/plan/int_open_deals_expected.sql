-- Grain: one row per open opportunity: where it counts, and the day its closing is expected for the forecast.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

opportunities as (
    select * from {{ ref('int_opportunities') }}
    where not is_deleted
),

won_cycles as (
    select {{ quantile_of(days_between('created_on', 'closed_on'), 0.5) }} as median_cycle_days
    from opportunities
    where is_won and created_at is not null
),

final as (
    select
        opportunities.opportunity_id,
        opportunities.node_key,
        opportunities.amount_cents,
        -- Where nobody states a date, a usual cycle after creation; what is overdue counts in the running period.
        greatest(
            runs.as_of_date,
            coalesce(
                opportunities.expected_close_on,
                {{ add_days('opportunities.created_on', 'won_cycles.median_cycle_days') }},
                runs.as_of_date
            )
        ) as forecast_close_on
    from opportunities
    cross join runs
    cross join won_cycles
    where not opportunities.is_closed
)

select * from final
