-- Grain: one recorded state of an opportunity with another owner's node than the state before.

{# Most deals stay with whom they began: only those that two nodes ever had are put in order. #}

with events as (

    select
        okey,
        event_no,
        node_no
    from {{ ref('int_opportunity_events') }}

),

moved as (

    select okey
    from events
    group by okey
    having min(node_no) <> max(node_no)

),

compared as (

    select
        events.okey,
        events.event_no,
        events.node_no,
        lag(events.node_no) over (partition by events.okey order by events.event_no) as previous_node_no
    from events
    inner join moved on events.okey = moved.okey

),

final as (

    select
        okey,
        event_no,
        previous_node_no
    from compared
    where node_no <> previous_node_no

)

select * from final
