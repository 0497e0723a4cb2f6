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

-- Where a deal became qualified, ceased to be, or changed hands while it was.
turns as (

    select
        events.okey,
        events.event_on,
        case when stages.stage_no is not null then events.node_no end as joined_node_no,
        case when previous_stages.stage_no is not null then events.previous_node_no end as left_node_no
    from {{ ref('int_opportunity_events') }} as events
    left join stages on events.stage_no = stages.stage_no
    left join stages as previous_stages on events.previous_stage_no = previous_stages.stage_no
    where
        (stages.stage_no is null and previous_stages.stage_no is not null)
        or (stages.stage_no is not null and previous_stages.stage_no is null)
        or (stages.stage_no is not null and events.node_no <> events.previous_node_no)

),

placed as (

    select
        turns.joined_node_no,
        turns.left_node_no,
        opportunities.segment_no,
        coalesce(days.month_no, {{ month_number('turns.event_on') }}) as month_no
    from turns
    inner join {{ ref('int_opportunities') }} as opportunities on turns.okey = opportunities.okey
    left join days on turns.event_on = days.day

),

changes as (

    select
        joined_node_no as node_no,
        segment_no,
        month_no,
        1 as open_n
    from placed
    where joined_node_no is not null

    union all

    select
        left_node_no as node_no,
        segment_no,
        month_no,
        -1 as open_n
    from placed
    where left_node_no is not null

),

-- What came and went within a month stood at the end of none.
own as (

    select
        node_no,
        segment_no,
        month_no,
        sum(open_n) as open_n
    from changes
    group by node_no, segment_no, month_no
    having sum(open_n) <> 0

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
