-- Grain: one opportunity of which an expected close was stated while it stood open: how often and how far that moved.

{#
    The first and the last day stated are the least and the greatest of one number with the place before the day, which
    is several times cheaper to find than the value beside the least. A day number is an integer, and an event's number
    a small one, so that both fit whatever they are.
#}
{% set days = 'cast(4294967296 as bigint)' %}

with open_stages as (

    select stage_no
    from {{ ref('stg_night__stages') }}
    where not is_closed

    union all

    select {{ unknown_stage_no() }} as stage_no

),

-- What a deal in hand is expected to do: what a closing writes into the date is a result, no expectation. Only rows
-- that can differ from the one before, for the window below.
stated as (

    select
        events.okey,
        events.event_no,
        events.event_on,
        events.close_day_no,
        events.close_month_no
    from {{ ref('int_opportunity_events') }} as events
    inner join open_stages on events.stage_no = open_stages.stage_no
    left join open_stages as previous_stages on events.previous_stage_no = previous_stages.stage_no
    where
        events.close_day_no > 0
        and (
            events.previous_close_day_no is null
            or events.close_day_no <> events.previous_close_day_no
            or previous_stages.stage_no is null
        )

),

-- A date that was taken away and stated again later has moved too.
moves as (

    select
        okey,
        event_no,
        event_on,
        close_day_no,
        close_month_no > lag(close_month_no) over (partition by okey order by event_no) as is_push
    from stated

),

counted as (

    select
        okey,
        count(case when is_push then 1 end) as push_count,
        max(case when is_push then event_on end) as last_pushed_on,
        mod(min(event_no * {{ days }} + close_day_no), {{ days }}) as first_close_day_no,
        mod(max(event_no * {{ days }} + close_day_no), {{ days }}) as last_close_day_no
    from moves
    group by okey

),

-- A week of wavering is one month's push, however often the date was moved in it.
months_of_pushes as (

    select
        moves.okey,
        days.month_no
    from moves
    inner join {{ ref('int_fiscal_days') }} as days on moves.event_on = days.day
    where moves.is_push
    group by moves.okey, days.month_no

),

pushed_months as (

    select
        okey,
        count(*) as push_months
    from months_of_pushes
    group by okey

),

dated as (

    select
        okey,
        push_count,
        last_pushed_on,
        {{ day_of_number('first_close_day_no') }} as first_close_on,
        {{ day_of_number('last_close_day_no') }} as last_close_on
    from counted

),

final as (

    select
        dated.okey,
        cast(dated.push_count as integer) as push_count,
        cast(coalesce(pushed_months.push_months, 0) as integer) as push_months,
        {{ days_between('dated.first_close_on', 'dated.last_close_on') }} as push_days,
        dated.last_pushed_on,
        dated.first_close_on
    from dated
    left join pushed_months on dated.okey = pushed_months.okey

)

select * from final
