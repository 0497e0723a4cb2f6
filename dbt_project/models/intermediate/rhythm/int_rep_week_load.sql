-- Grain: one rep node, open stage and week since the node first had a deal there: what stood open at the week's end.

{% set piled_after_days = 28 %}

{#
    A deal waits with its rep since its last step to a later stage, or the day on which the rep took it in, whichever is
    later. Moving it back, pushing it or pricing it anew is no step. The days of a deal never run backwards, so that its
    last step is its latest.
#}

with weeks as (

    select * from {{ ref('int_weeks') }}

),

edges as (

    select
        min(week_no) as first_week_no,
        min(week_start_on) as starts_on,
        max(until_on) as as_of_date
    from weeks

),

open_stages as (

    select stage_no
    from {{ ref('stg_night__stages') }}
    where not is_closed

    union all

    select {{ unknown_stage_no() }} as stage_no

),

-- Before the window: most deals were closed long ago.
in_hand as (

    select distinct events.okey
    from {{ ref('int_opportunity_events') }} as events
    cross join edges
    inner join open_stages on events.stage_no = open_stages.stage_no
    where coalesce(events.next_on, edges.starts_on) >= edges.starts_on

),

open_states as (

    select
        events.okey,
        events.event_no,
        events.event_on,
        {{ week_number('events.event_on') }} as event_week_no,
        {{ week_number('events.next_on') }} as to_week_no,
        events.stage_no,
        events.node_no,
        events.amount_cents,
        events.event_no = 1
        or previous_stages.stage_no is null
        or events.node_no <> events.previous_node_no
        or {{ is_advance('events.previous_stage_no', 'events.stage_no') }} as is_step
    from {{ ref('int_opportunity_events') }} as events
    inner join in_hand on events.okey = in_hand.okey
    inner join open_stages on events.stage_no = open_stages.stage_no
    left join open_stages as previous_stages on events.previous_stage_no = previous_stages.stage_no

),

waiting as (

    select
        node_no,
        stage_no,
        amount_cents,
        event_week_no,
        to_week_no,
        max(case when is_step then event_on end) over (
            partition by okey order by event_no rows between unbounded preceding and current row
        ) as waits_since
    from open_states

),

-- Where a state begins and ends, in weeks: it stands at the end of a week if it had begun by then and not ended.
spans as (

    select
        waiting.node_no,
        waiting.stage_no,
        waiting.amount_cents,
        greatest(waiting.event_week_no, edges.first_week_no) as from_week_no,
        waiting.to_week_no,
        case
            when {{ add_days('waiting.waits_since', piled_after_days) }} <= edges.as_of_date
                then
                    greatest(
                        waiting.event_week_no,
                        {{ week_number(add_days('waiting.waits_since', piled_after_days)) }},
                        edges.first_week_no
                    )
        end as piled_week_no
    from waiting
    cross join edges

),

standing as (

    select * from spans
    where to_week_no is null or to_week_no > from_week_no

),

steps as (

    select
        node_no,
        stage_no,
        from_week_no as week_no,
        1 as open_count,
        amount_cents as open_cents,
        0 as piled
    from standing

    union all

    select
        node_no,
        stage_no,
        to_week_no as week_no,
        -1 as open_count,
        -amount_cents as open_cents,
        case when piled_week_no < to_week_no then -1 else 0 end as piled
    from standing
    where to_week_no is not null

    union all

    select
        node_no,
        stage_no,
        piled_week_no as week_no,
        0 as open_count,
        0 as open_cents,
        1 as piled
    from standing
    where piled_week_no is not null and (to_week_no is null or piled_week_no < to_week_no)

),

summed as (

    select
        node_no,
        stage_no,
        week_no,
        {{ sum_each(['open_count', 'open_cents', 'piled']) }}
    from steps
    group by node_no, stage_no, week_no

),

cells as (

    select
        node_no,
        stage_no,
        min(week_no) as first_week_no
    from summed
    group by node_no, stage_no

),

final as (

    select
        cells.node_no,
        cells.stage_no,
        weeks.week_no,
        {%- for measure in ['open_count', 'open_cents', 'piled'] %}
        cast(sum(coalesce(summed.{{ measure }}, 0)) over (
            partition by cells.node_no, cells.stage_no order by weeks.week_no
            rows between unbounded preceding and current row
        ) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from cells
    inner join weeks on cells.first_week_no <= weeks.week_no
    left join summed
        on
            cells.node_no = summed.node_no
            and cells.stage_no = summed.stage_no
            and weeks.week_no = summed.week_no

)

select * from final
