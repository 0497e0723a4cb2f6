-- Grain: one opportunity and one stretch of days at whose ends it stood the same: status, amount, closing month, owner.

{{ config(database=target.database, schema='basis') }}

{#
    Status: 1 open, 2 won, 3 lost, 4 gone (deleted or merged). Only what held at the end of a day counts, so that two
    edits of one day are one. A closing is one row however often the closed record is edited after it: it stands with
    the owner it had then and with the amount that is known for it tonight, as bookings do.
#}

with stages as (

    select
        stage_no,
        case when is_won then 2 when is_closed then 3 else 1 end as status
    from {{ ref('stg_night__stages') }}

),

day_ends as (

    select
        events.okey,
        events.event_on as from_on,
        cast(case when events.stage_no < 0 then 4 else coalesce(stages.status, 1) end as smallint) as status,
        events.amount_cents,
        cast(events.close_month_no as smallint) as close_month_no,
        events.node_no
    from {{ ref('int_opportunity_events') }} as events
    left join stages on events.stage_no = stages.stage_no
    where events.next_on is null or events.event_on < events.next_on

),

compared as (

    select
        *,
        lag(status) over by_time as previous_status,
        lag(amount_cents) over by_time as previous_amount_cents,
        lag(close_month_no) over by_time as previous_close_month_no,
        lag(node_no) over by_time as previous_node_no,
        last_value(amount_cents) over (
            partition by okey order by from_on rows between unbounded preceding and unbounded following
        ) as last_amount_cents
    from day_ends
    window by_time as (partition by okey order by from_on)

),

changes as (

    select * from compared
    where
        previous_status is null
        or status <> previous_status
        or (
            status = 1
            and (
                amount_cents <> previous_amount_cents
                or close_month_no <> previous_close_month_no
                or node_no <> previous_node_no
            )
        )

),

final as (

    select
        okey,
        from_on,
        lead(from_on) over by_time as until_on,
        status,
        case
            when status = 1 then amount_cents
            else coalesce(lead(previous_amount_cents) over by_time, last_amount_cents)
        end as amount_cents,
        close_month_no,
        node_no,
        first_value(from_on) over by_time as known_from_on,
        -- No month (0) is what an undated deal was expected in; one that nobody saw open, in what its closing says.
        coalesce(
            last_value(case when status = 1 then close_month_no end ignore nulls) over (
                partition by okey order by from_on rows between unbounded preceding and current row
            ),
            close_month_no
        ) as open_close_month_no,
        coalesce(node_no <> lag(node_no) over by_time, false) as is_handed_over
    from changes
    window by_time as (partition by okey order by from_on)

)

select * from final
