-- Grain: one opportunity ever seen: how it moved, and when it is expected to close.

{{ config(database=target.database, schema='basis') }}

with opportunities as (

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

open_deals as (

    select
        okey,
        forecast_close_on
    from {{ ref('int_open_deals_dated') }}

),

final as (

    select
        opportunities.okey,
        coalesce(moves.stage_entered_on, opportunities.created_on) as stage_entered_on,
        coalesce(pushes.push_count, 0) as push_count,
        pushes.push_days,
        open_deals.forecast_close_on
    from opportunities
    left join moves on opportunities.okey = moves.okey
    left join pushes on opportunities.okey = pushes.okey
    left join open_deals on opportunities.okey = open_deals.okey

)

select * from final
