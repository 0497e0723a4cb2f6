-- Grain: one recorded state of one opportunity: what held from `event_on` until `next_on`.

{{ config(database=target.database, schema='basis') }}

{#
    `order_no` puts the rows of a deal in order: by day, and within a day what nobody recorded, what a night tells of
    the beginning, what the CRM's history tells (by its moments, then its numbers), what a night sees at its end, and
    what the record says otherwise.
#}
{% set first_day = "cast('1970-01-01' as date)" %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select
        okey,
        node_no,
        coalesce(amount_cents, 0) as amount_cents,
        coalesce({{ day_number('expected_close_on') }}, 0) as close_day_no,
        created_on,
        first_seen_on
    from {{ ref('int_opportunities') }}

),

spans as (

    select
        okey,
        stage_from_on
    from {{ ref('int_opportunity_crm_spans') }}

),

night_rows as (

    select * from {{ ref('int_opportunity_night_rows') }}

),

ends as (

    select
        okey,
        observed_on,
        is_gone,
        lead(observed_on) over (partition by okey order by observed_on) as next_on
    from night_rows
    where is_gone or is_back

),

-- From the day after a deal was gone until the day on which it was back.
gaps as (

    select
        okey,
        observed_on as gone_on,
        next_on as back_on
    from ends
    where is_gone

),

crm_events as (

    select
        crm_rows.okey,
        {{ days_between(first_day, 'crm_rows.changed_on') }} * 4 + 2 as order_no,
        crm_rows.changed_at as event_at,
        length(crm_rows.history_id) as id_length,
        crm_rows.history_id,
        least(crm_rows.changed_on, run.as_of_date) as event_on,
        crm_rows.stage_no,
        crm_rows.amount_cents,
        crm_rows.close_day_no,
        crm_rows.node_no,
        false as is_entry_assumed
    from {{ ref('int_opportunity_crm_rows') }} as crm_rows
    cross join run
    left join gaps
        on
            crm_rows.okey = gaps.okey
            and crm_rows.changed_on > gaps.gone_on
            and crm_rows.changed_on <= coalesce(gaps.back_on, crm_rows.changed_on)
    where gaps.okey is null

),

-- A night looks at the end of its day. Where its stage holds from an earlier day on, the rest is known from that night:
-- so it stays with the night, lest it stand before what the CRM's history tells of the days between.
night_events as (

    select
        okey,
        holds_on as event_on,
        {{ days_between(first_day, 'holds_on') }} * 4 + case when is_beginning then 1 else 3 end as order_no,
        cast(observed_on as timestamp) as event_at,
        stage_no,
        case when holds_on = observed_on or not has_history then amount_cents end as amount_cents,
        case when holds_on = observed_on or not has_history then close_day_no end as close_day_no,
        case when holds_on = observed_on or not has_history then node_no end as node_no,
        is_entry_assumed
    from night_rows

    union all

    select
        okey,
        observed_on as event_on,
        {{ days_between(first_day, 'observed_on') }} * 4 + 3 as order_no,
        cast(observed_on as timestamp) as event_at,
        cast(null as integer) as stage_no,
        amount_cents,
        close_day_no,
        node_no,
        false as is_entry_assumed
    from night_rows
    where has_history and holds_on <> observed_on

),

-- A deal first seen when it was closed stood open before; one whose history begins late, since its creation.
unrecorded_events as (

    select
        okey,
        least(created_on, holds_on) as event_on,
        amount_cents,
        close_day_no,
        node_no
    from night_rows
    where is_beginning and is_closing

    union all

    select
        opportunities.okey,
        opportunities.created_on as event_on,
        cast(null as bigint) as amount_cents,
        cast(null as integer) as close_day_no,
        cast(null as integer) as node_no
    from opportunities
    inner join spans on opportunities.okey = spans.okey
    where opportunities.created_on < spans.stage_from_on and spans.stage_from_on <= opportunities.first_seen_on

),

-- Ours, of which no row has a number. What the record says comes after all that a night of its day tells.
our_events as (

    select
        okey,
        order_no,
        event_at,
        event_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        is_entry_assumed
    from night_events

    union all

    select
        okey,
        {{ days_between(first_day, 'event_on') }} * 4 as order_no,
        cast(null as timestamp) as event_at,
        event_on,
        {{ unknown_stage_no() }} as stage_no,
        amount_cents,
        close_day_no,
        node_no,
        false as is_entry_assumed
    from unrecorded_events

    union all

    select
        record_rows.okey,
        {{ days_between(first_day, 'record_rows.said_until_on') }} * 4 + 3 as order_no,
        cast('9999-12-31' as timestamp) as event_at,
        least(record_rows.said_until_on, run.as_of_date) as event_on,
        record_rows.stage_no,
        record_rows.amount_cents,
        record_rows.close_day_no,
        record_rows.node_no,
        false as is_entry_assumed
    from {{ ref('int_opportunity_record_rows') }} as record_rows
    cross join run

),

event_rows as (

    select * from crm_events

    union all

    select
        okey,
        order_no,
        event_at,
        0 as id_length,
        '' as history_id,
        event_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        is_entry_assumed
    from our_events

),

-- The one window over all of history, of what was said before each row: what holds from it on is its own word, where it
-- has one. In its order no day lies before the one above it.
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
        lag(stage_no ignore nulls) over by_time as previous_stage_no,
        lag(amount_cents ignore nulls) over by_time as previous_amount_cents,
        lag(close_day_no ignore nulls) over by_time as previous_close_day_no,
        lag(node_no ignore nulls) over by_time as previous_node_no,
        is_entry_assumed
    from event_rows
    window by_time as (partition by okey order by order_no, event_at, id_length, history_id)

),

months as (

    select
        day_no,
        month_no
    from {{ ref('int_fiscal_days') }}

),

-- A null means "as before"; before the first statement, "as tonight".
known as (

    select
        sequenced.okey,
        sequenced.event_no,
        sequenced.event_on,
        sequenced.next_on,
        coalesce(sequenced.stage_no, sequenced.previous_stage_no, {{ unknown_stage_no() }}) as stage_no,
        coalesce(sequenced.previous_stage_no, {{ unknown_stage_no() }}) as previous_stage_no,
        coalesce(sequenced.amount_cents, sequenced.previous_amount_cents, opportunities.amount_cents) as amount_cents,
        coalesce(sequenced.close_day_no, sequenced.previous_close_day_no, opportunities.close_day_no) as close_day_no,
        sequenced.previous_close_day_no,
        coalesce(sequenced.node_no, sequenced.previous_node_no, opportunities.node_no) as node_no,
        coalesce(sequenced.previous_node_no, opportunities.node_no) as previous_node_no,
        sequenced.is_entry_assumed
    from sequenced
    inner join opportunities on sequenced.okey = opportunities.okey

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
