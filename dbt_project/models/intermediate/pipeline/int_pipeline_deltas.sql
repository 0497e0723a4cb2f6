-- Grain: one rep node, open stage, closing month and published day on which the open pipeline of that cell changed.

with days as (

    select
        day,
        shows_on_day_no
    from {{ ref('int_pipeline_days') }}

),

stages as (

    select
        stage_no,
        win_probability
    from {{ ref('int_stage_win_rates') }}
    where not is_closed

    union all

    -- Open in a stage nobody recorded: counted, and weighted by nothing.
    select
        {{ unknown_stage_no() }} as stage_no,
        cast(0 as double) as win_probability

),

open_states as (

    select
        events.node_no,
        events.stage_no,
        events.close_month_no,
        coalesce(first_days.shows_on_day_no, 1) as first_day_no,
        case when events.next_on is not null then coalesce(past_days.shows_on_day_no, 1) end as past_day_no,
        events.amount_cents,
        {{ weighted_cents('events.amount_cents', 'stages.win_probability') }} as weighted_cents
    from {{ ref('int_opportunity_events') }} as events
    inner join stages on events.stage_no = stages.stage_no
    left join days as first_days on events.event_on = first_days.day
    left join days as past_days on events.next_on = past_days.day

),

changes as (

    select
        node_no,
        stage_no,
        close_month_no,
        first_day_no as day_no,
        1 as open_count,
        amount_cents,
        weighted_cents
    from open_states
    where past_day_no is null or first_day_no < past_day_no

    union all

    select
        node_no,
        stage_no,
        close_month_no,
        past_day_no as day_no,
        -1 as open_count,
        -amount_cents as amount_cents,
        -weighted_cents as weighted_cents
    from open_states
    where first_day_no < past_day_no

),

final as (

    select
        node_no,
        stage_no,
        close_month_no,
        day_no,
        cast(sum(open_count) as bigint) as open_count,
        cast(sum(amount_cents) as bigint) as amount_cents,
        cast(sum(weighted_cents) as bigint) as weighted_cents
    from changes
    group by node_no, stage_no, close_month_no, day_no
    having sum(open_count) <> 0 or sum(amount_cents) <> 0 or sum(weighted_cents) <> 0

)

select * from final
