-- Grain: one opportunity ever seen: how it moved.

with events as (

    select * from {{ ref('int_opportunity_events') }}

),

final as (

    select
        okey,
        max(case when stage_no <> previous_stage_no then event_on end) as stage_entered_on,
        cast(
            sum(case when previous_close_month_no > 0 and close_month_no > previous_close_month_no then 1 else 0 end)
            as integer
        ) as push_count
    from events
    group by okey

)

select * from final
