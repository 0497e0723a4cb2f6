-- Grain: one recorded state of an opportunity that stood open in one of the weeks: whose it was, and what had changed.

{#
    `waits_since` is the day since when the deal has waited with its rep: its last step to a later stage, or the day on
    which the rep took it in, whichever is later. Moving it back, pushing it or pricing it anew is no step.
#}

with first_week as (

    select min(week_start_on) as starts_on
    from {{ ref('int_weeks') }}

),

open_stages as (

    select
        stage_no,
        true as is_open
    from {{ ref('stg_night__stages') }}
    where not is_closed

    union all

    select
        {{ unknown_stage_no() }} as stage_no,
        true as is_open

),

won_stages as (

    select stage_no as won_stage_no
    from {{ ref('stg_night__stages') }}
    where is_won

),

-- Before all windows: most deals were closed long ago.
in_hand as (

    select distinct events.okey
    from {{ ref('int_opportunity_events') }} as events
    cross join first_week
    inner join open_stages on events.stage_no = open_stages.stage_no
    where events.next_on is null or events.next_on >= first_week.starts_on

),

events as (

    select
        events.okey,
        events.event_no,
        events.event_on,
        events.next_on,
        events.stage_no,
        events.previous_stage_no,
        events.node_no,
        events.amount_cents,
        coalesce(open_stages.is_open, false) as is_open,
        won_stages.won_stage_no is not null as is_in_won_stage
    from {{ ref('int_opportunity_events') }} as events
    inner join in_hand on events.okey = in_hand.okey
    left join open_stages on events.stage_no = open_stages.stage_no
    left join won_stages on events.stage_no = won_stages.won_stage_no

),

compared as (

    select
        events.*,
        coalesce(lag(events.is_open) over by_time, false) as was_open,
        coalesce(lag(events.node_no) over by_time, events.node_no) as previous_node_no
    from events
    window by_time as (partition by events.okey order by events.event_no)

),

-- A deal that changes hands on the day it closes is first handed over, then closed.
stepped as (

    select
        compared.*,
        (is_open and not was_open) or (was_open and node_no <> previous_node_no) as is_taken_in,
        was_open and node_no <> previous_node_no as is_handed_over,
        was_open and is_open and previous_stage_no > 0 and stage_no > previous_stage_no as is_advanced,
        was_open and not is_open and is_in_won_stage as is_won,
        was_open and not is_open and stage_no > 0 and not is_in_won_stage as is_lost,
        was_open and not is_open and stage_no < 0 as is_removed
    from compared

),

final as (

    select
        okey,
        event_no,
        event_on,
        next_on,
        stage_no,
        node_no,
        previous_node_no,
        amount_cents,
        is_open,
        is_taken_in,
        is_handed_over,
        is_advanced,
        is_won,
        is_lost,
        is_removed,
        max(case when is_taken_in or is_advanced then event_on end) over (
            partition by okey order by event_no rows between unbounded preceding and current row
        ) as waits_since
    from stepped

)

select * from final
