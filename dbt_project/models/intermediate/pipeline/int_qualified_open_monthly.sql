-- Grain: one span of month ends, node and segment (all and each): qualified deals that stood open at each of them.

{#
    Qualified is a deal in an open stage that the configuration does not leave out of the forecast (category omitted).
    A deal counts at the owner it had that day and at each node above in tonight's organisation.
#}

with stages as (

    select stage_no
    from {{ ref('stg_night__stages') }}
    where not is_closed and coalesce(forecast_category, 'pipeline') <> 'omitted'

),

ancestors as (

    select
        node_no,
        ancestor_node_no
    from {{ ref('int_node_ancestors') }}

),

days as (

    select
        day,
        month_no
    from {{ ref('int_fiscal_days') }}

),

states as (

    select
        events.okey,
        events.node_no,
        coalesce(first_days.month_no, {{ month_number('events.event_on') }}) as first_month_no,
        coalesce(past_days.month_no, {{ month_number('events.next_on') }}) as past_month_no
    from {{ ref('int_opportunity_events') }} as events
    inner join stages on events.stage_no = stages.stage_no
    left join days as first_days on events.event_on = first_days.day
    left join days as past_days on events.next_on = past_days.day

),

-- Most states are over within their month.
standing as (

    select
        states.node_no,
        opportunities.segment_no,
        states.first_month_no,
        states.past_month_no
    from states
    inner join {{ ref('int_opportunities') }} as opportunities on states.okey = opportunities.okey
    where states.past_month_no is null or states.first_month_no < states.past_month_no

),

changes as (

    select
        node_no,
        segment_no,
        first_month_no as month_no,
        1 as open_n
    from standing

    union all

    select
        node_no,
        segment_no,
        past_month_no as month_no,
        -1 as open_n
    from standing
    where past_month_no is not null

),

own as (

    select
        node_no,
        segment_no,
        month_no,
        sum(open_n) as open_n
    from changes
    group by node_no, segment_no, month_no

),

by_node as (

    select
        ancestors.ancestor_node_no as node_no,
        own.segment_no,
        own.month_no,
        sum(own.open_n) as open_n
    from own
    inner join ancestors on own.node_no = ancestors.node_no
    group by ancestors.ancestor_node_no, own.segment_no, own.month_no

),

segmented as (

    select * from by_node

    union all

    select
        node_no,
        {{ all_segments_no() }} as segment_no,
        month_no,
        sum(open_n) as open_n
    from by_node
    group by node_no, month_no

),

final as (

    select
        node_no,
        segment_no,
        month_no as first_month_no,
        lead(month_no) over by_month as past_month_no,
        cast(sum(open_n) over until_month as bigint) as open_n
    from segmented
    window
        by_month as (partition by node_no, segment_no order by month_no),
        until_month as (
            partition by node_no, segment_no order by month_no
            rows between unbounded preceding and current row
        )

)

select * from final
