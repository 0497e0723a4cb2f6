-- Grain: one rep node, open stage, closing month and published day on which a change of that cell first shows.

{{ config(materialized='view') }}

with open_states as (

    {{ open_states(ref('int_opportunity_events'), ref('int_stage_win_rates')) }}

),

days as (

    select
        day,
        shows_on_day_no as day_no
    from {{ ref('int_pipeline_days') }}

),

-- What began before the calendar shows on its first published day.
numbered as (

    select
        open_states.node_no,
        open_states.stage_no,
        open_states.close_month_no,
        open_states.amount_cents,
        open_states.weighted_cents,
        coalesce(first_days.day_no, 1) as first_day_no,
        case when open_states.next_on is not null then coalesce(past_days.day_no, 1) end as past_day_no
    from open_states
    left join days as first_days on open_states.event_on = first_days.day
    left join days as past_days on open_states.next_on = past_days.day

),

-- States that stood on a published day: of most old ones, no month end was one.
shown as (

    select * from numbered
    where past_day_no is null or first_day_no < past_day_no

),

changes as (

    {{ comings_and_goings('shown', 'first_day_no', 'past_day_no', 'day_no') }}

),

final as (

    select
        node_no,
        stage_no,
        close_month_no,
        day_no,
        {{ sum_each(['open_count', 'amount_cents', 'weighted_cents']) }}
    from changes
    group by node_no, stage_no, close_month_no, day_no

)

select * from final
