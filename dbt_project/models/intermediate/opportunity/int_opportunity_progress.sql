-- Grain: one opportunity ever seen: how it moved, and when it is expected to close.

{{ config(database=target.database, schema='basis') }}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

events as (

    select * from {{ ref('int_opportunity_events') }}

),

moves as (

    select
        okey,
        max(event_on) as stage_entered_on
    from events
    where stage_no <> previous_stage_no
    group by okey

),

pushes as (

    select
        okey,
        push_count,
        push_days
    from {{ ref('int_opportunity_pushes') }}

),

won_cycles as (

    select {{ quantile_of(days_between('created_on', 'closed_on'), 0.5) }} as median_cycle_days
    from opportunities
    where is_won and not is_deleted and created_at is not null

),

final as (

    select
        opportunities.okey,
        coalesce(moves.stage_entered_on, opportunities.created_on) as stage_entered_on,
        coalesce(pushes.push_count, 0) as push_count,
        pushes.push_days,
        -- Where nobody states a date, a usual cycle after creation; what is overdue counts in the running period.
        case
            when opportunities.is_closed then null
            else
                greatest(
                    run.as_of_date,
                    coalesce(
                        opportunities.expected_close_on,
                        {{ add_days('opportunities.created_on', 'won_cycles.median_cycle_days') }},
                        run.as_of_date
                    )
                )
        end as forecast_close_on
    from opportunities
    cross join run
    cross join won_cycles
    left join moves on opportunities.okey = moves.okey
    left join pushes on opportunities.okey = pushes.okey

)

select * from final
