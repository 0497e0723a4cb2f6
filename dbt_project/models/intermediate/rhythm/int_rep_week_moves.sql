-- Grain: one rep node and week in which one of its deals moved: what came in, went on and left.

with first_week as (

    select min(week_start_on) as starts_on
    from {{ ref('int_weeks') }}

),

stages as (

    select
        stage_no,
        not is_closed as is_open,
        is_won
    from {{ ref('stg_night__stages') }}

    union all

    select
        {{ unknown_stage_no() }} as stage_no,
        true as is_open,
        false as is_won

),

events as (

    select
        {{ week_number('events.event_on') }} as week_no,
        events.stage_no,
        events.previous_stage_no,
        events.event_no = 1 as is_first,
        events.node_no,
        case
            when events.event_no > 1 and events.node_no <> events.previous_node_no then events.previous_node_no
        end as previous_node_no
    from {{ ref('int_opportunity_events') }} as events
    cross join first_week
    where events.event_on >= first_week.starts_on

),

-- A stage that is none of ours: the deal has left the CRM, or was merged.
states as (

    select
        events.*,
        coalesce(stages.is_open, false) as is_open,
        coalesce(stages.is_won, false) as is_in_won_stage,
        not events.is_first and coalesce(previous_stages.is_open, false) as was_open
    from events
    left join stages on events.stage_no = stages.stage_no
    left join stages as previous_stages on events.previous_stage_no = previous_stages.stage_no

),

-- A deal that changes hands on the day it closes is first handed over, then closed.
stepped as (

    select
        node_no,
        previous_node_no,
        week_no,
        (is_open and not was_open) or (was_open and previous_node_no is not null) as is_taken_in,
        was_open and previous_node_no is not null as is_handed_over,
        was_open and is_open and {{ is_advance('previous_stage_no', 'stage_no') }} as is_advanced,
        was_open and not is_open and is_in_won_stage as is_won,
        was_open and not is_open and stage_no > 0 and not is_in_won_stage as is_lost,
        was_open and not is_open and stage_no < 0 as is_removed
    from states

),

moves as (

    select
        node_no,
        week_no,
        {%- for move in ['taken_in', 'advanced', 'won', 'lost', 'removed'] %}
        sum(case when is_{{ move }} then 1 else 0 end) as {{ move }},
        {%- endfor %}
        0 as handed_over
    from stepped
    group by node_no, week_no

    union all

    select
        previous_node_no as node_no,
        week_no,
        0 as taken_in,
        0 as advanced,
        0 as won,
        0 as lost,
        0 as removed,
        1 as handed_over
    from stepped
    where is_handed_over

),

final as (

    select
        node_no,
        week_no,
        {{ sum_each(['taken_in', 'handed_over', 'advanced', 'won', 'lost', 'removed']) }}
    from moves
    group by node_no, week_no
    having sum(taken_in + handed_over + advanced + won + lost + removed) > 0

)

select * from final
