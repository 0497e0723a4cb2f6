-- Grain: one recorded state of one opportunity: what held from `event_on` until `next_on`.

{{ config(database=target.database, schema='basis') }}

{#
    `order_no` puts the rows of a deal in order: by day, and within a day what nobody recorded, what a night tells of
    the beginning, what the CRM's history tells (by its moments, then its numbers), what a night sees at its end, and
    what the record says otherwise.
#}
with opportunities as (

    select
        okey,
        coalesce(amount_cents, 0) as amount_cents,
        coalesce({{ day_number('expected_close_on') }}, 0) as close_day_no
    from {{ ref('int_opportunities') }}

),

event_rows as (

    select
        okey,
        order_no,
        event_at,
        moment_no,
        event_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no,
        is_entry_assumed
    from {{ ref('int_opportunity_crm_events') }}

    union all

    select
        okey,
        order_no,
        event_at,
        moment_no,
        event_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no,
        is_entry_assumed
    from {{ ref('int_opportunity_our_events') }}

),

-- The one window over all of history, of what was said before each row, and next: what holds from it on is its own
-- word, where it has one. In its order no day lies before the one above it.
sequenced as (

    select
        okey,
        cast(row_number() over by_time as smallint) as event_no,
        event_on,
        lead(event_on) over by_time as next_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no,
        lag(stage_no ignore nulls) over by_time as previous_stage_no,
        lag(amount_cents ignore nulls) over by_time as previous_amount_cents,
        lag(close_day_no ignore nulls) over by_time as previous_close_day_no,
        lag(node_no ignore nulls) over by_time as previous_node_no,
        lead(amount_cents ignore nulls) over by_time as next_amount_cents,
        lead(close_day_no ignore nulls) over by_time as next_close_day_no,
        lead(node_no ignore nulls) over by_time as next_node_no,
        is_entry_assumed
    from event_rows
    window by_time as (partition by okey order by order_no, event_at, moment_no)

),

months as (

    select
        day_no,
        month_no
    from {{ ref('int_fiscal_days') }}

),

-- A null means "as before"; before the first statement, as that says: what is stated later moves no day before it.
-- Where nothing is stated at all, "as tonight".
carried as (

    select
        okey,
        event_no,
        event_on,
        next_on,
        coalesce(stage_no, previous_stage_no, {{ unknown_stage_no() }}) as stage_no,
        coalesce(previous_stage_no, {{ unknown_stage_no() }}) as previous_stage_no,
        coalesce(amount_cents, previous_amount_cents, next_amount_cents) as amount_cents,
        coalesce(close_day_no, previous_close_day_no, next_close_day_no) as close_day_no,
        previous_close_day_no,
        coalesce(node_no, previous_node_no, next_node_no, tonight_node_no) as node_no,
        coalesce(previous_node_no, node_no, next_node_no, tonight_node_no) as previous_node_no,
        is_entry_assumed
    from sequenced

),

-- Only what lacks something looks its deal up: rows without a key pass by.
unsaid as (

    select
        *,
        case when amount_cents is null or close_day_no is null then okey end as unsaid_okey
    from carried

),

known as (

    select
        unsaid.okey,
        unsaid.event_no,
        unsaid.event_on,
        unsaid.next_on,
        unsaid.stage_no,
        unsaid.previous_stage_no,
        coalesce(unsaid.amount_cents, opportunities.amount_cents) as amount_cents,
        coalesce(unsaid.close_day_no, opportunities.close_day_no) as close_day_no,
        unsaid.previous_close_day_no,
        unsaid.node_no,
        unsaid.previous_node_no,
        unsaid.is_entry_assumed
    from unsaid
    left join opportunities on unsaid.unsaid_okey = opportunities.okey

),

final as (

    select
        known.okey,
        known.event_no,
        known.event_on,
        known.next_on,
        cast(known.stage_no as smallint) as stage_no,
        cast(known.previous_stage_no as smallint) as previous_stage_no,
        known.amount_cents,
        coalesce(months.month_no, {{ month_of_day('known.close_day_no') }}) as close_month_no,
        known.close_day_no,
        known.previous_close_day_no,
        known.node_no,
        known.previous_node_no,
        known.is_entry_assumed
    from known
    left join months on known.close_day_no = months.day_no

)

select * from final
