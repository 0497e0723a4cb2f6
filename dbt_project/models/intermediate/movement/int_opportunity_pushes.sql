-- Grain: one opportunity of which an expected close was stated while it stood open: how often and how far that moved.

{#
    The first and the last day stated are the least and the greatest of one number with the place before the day, which
    is several times cheaper to find than the value beside the least. A day number is an integer, and an event's number
    a small one, so that both fit whatever they are.
#}
{% set places = 'cast(32768 as bigint)' %}
{% set days = 'cast(4294967296 as bigint)' %}

with open_stages as (

    select stage_no
    from {{ ref('stg_night__stages') }}
    where not is_closed

    union all

    select {{ unknown_stage_no() }} as stage_no

),

days as (

    select
        day,
        day_no,
        month_no
    from {{ ref('int_fiscal_days') }}

),

-- What a deal in hand is expected to do: what a closing writes into the date is a result, no expectation. Only rows
-- that can differ from the one before. What that said is the date that was last stated, unless it was then taken away,
-- or the deal was closed: there the row before is looked up.
stated as (

    select
        events.okey,
        events.event_no,
        events.event_on,
        events.close_day_no,
        events.close_month_no,
        events.previous_close_day_no,
        events.previous_close_day_no is null as is_first,
        events.previous_close_day_no is not null
        and (events.previous_close_day_no = 0 or previous_stages.stage_no is null) as is_after_gap
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

before_gaps as (

    select
        stated.okey,
        stated.event_no,
        {{ arg_max('earlier.close_month_no', 'earlier.event_no') }} as close_month_no
    from stated
    inner join stated as earlier on stated.okey = earlier.okey and stated.event_no > earlier.event_no
    where stated.is_after_gap
    group by stated.okey, stated.event_no

),

-- Before its first statement a deal carries tonight's date, which nobody stated then: only the last such row counts,
-- and moves nothing. A date that was taken away and stated again later has moved too.
moves as (

    select
        stated.okey,
        stated.event_no,
        stated.event_on,
        stated.close_day_no,
        case when stated.is_first then {{ places }} - stated.event_no else {{ places }} + stated.event_no end
            as statement_no,
        case
            when stated.is_first then false
            when stated.is_after_gap then stated.close_month_no > before_gaps.close_month_no
            else
                stated.close_month_no
                > coalesce(days.month_no, {{ month_of_day('stated.previous_close_day_no') }})
        end as is_push
    from stated
    left join days on stated.previous_close_day_no = days.day_no
    left join before_gaps on stated.okey = before_gaps.okey and stated.event_no = before_gaps.event_no

),

counted as (

    select
        okey,
        mod(min(statement_no * {{ days }} + close_day_no), {{ days }}) as first_close_day_no,
        mod(max(event_no * {{ days }} + close_day_no), {{ days }}) as last_close_day_no
    from moves
    group by okey

),

-- A week of wavering is one month's push, however often the date was moved in it.
months_of_pushes as (

    select
        moves.okey,
        days.month_no,
        count(*) as push_count,
        max(moves.event_on) as last_pushed_on
    from moves
    left join days on moves.event_on = days.day
    where moves.is_push
    group by moves.okey, days.month_no

),

pushed as (

    select
        okey,
        sum(push_count) as push_count,
        count(month_no) as push_months,
        max(last_pushed_on) as last_pushed_on
    from months_of_pushes
    group by okey

),

dated as (

    select
        okey,
        {{ day_of_number('first_close_day_no') }} as first_close_on,
        {{ day_of_number('last_close_day_no') }} as last_close_on
    from counted

),

final as (

    select
        dated.okey,
        cast(coalesce(pushed.push_count, 0) as integer) as push_count,
        cast(coalesce(pushed.push_months, 0) as integer) as push_months,
        {{ days_between('dated.first_close_on', 'dated.last_close_on') }} as push_days,
        pushed.last_pushed_on,
        dated.first_close_on,
        dated.last_close_on
    from dated
    left join pushed on dated.okey = pushed.okey

)

select * from final
