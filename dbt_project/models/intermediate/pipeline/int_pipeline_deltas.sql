-- Grain: one rep node, open stage, closing month and day on which the open pipeline of that cell changed.

{# Only the spans read it: counted where they are made, it is not written and read again. #}
{{ config(materialized='view') }}

with stages as (

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

-- States that stood at the end of a day; what came and went within one shows on none.
open_states as (

    select
        events.node_no,
        events.stage_no,
        events.close_month_no,
        events.event_on,
        events.next_on,
        events.amount_cents,
        {{ weighted_cents('events.amount_cents', 'stages.win_probability') }} as weighted_cents
    from {{ ref('int_opportunity_events') }} as events
    inner join stages on events.stage_no = stages.stage_no
    where events.next_on is null or events.event_on < events.next_on

),

changes as (

    select
        node_no,
        stage_no,
        close_month_no,
        event_on as day,
        1 as open_count,
        amount_cents,
        weighted_cents
    from open_states

    union all

    select
        node_no,
        stage_no,
        close_month_no,
        next_on as day,
        -1 as open_count,
        -amount_cents as amount_cents,
        -weighted_cents as weighted_cents
    from open_states
    where next_on is not null

),

final as (

    select
        node_no,
        stage_no,
        close_month_no,
        day,
        cast(sum(open_count) as integer) as open_count,
        cast(sum(amount_cents) as bigint) as amount_cents,
        cast(sum(weighted_cents) as bigint) as weighted_cents
    from changes
    group by node_no, stage_no, close_month_no, day
    having sum(open_count) <> 0 or sum(amount_cents) <> 0 or sum(weighted_cents) <> 0

)

select * from final
