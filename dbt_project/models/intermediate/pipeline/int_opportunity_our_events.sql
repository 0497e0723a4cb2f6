-- Grain: one state of one opportunity that our nights, its record or its creation tell, and the CRM's history does not.

{# Only the events read it, and their order is told there (`order_no`). #}
{{ config(materialized='view') }}

{% set first_day = "cast('1970-01-01' as date)" %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select
        okey,
        node_no
    from {{ ref('int_opportunities') }}

),

night_rows as (

    select * from {{ ref('int_opportunity_night_rows') }}

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
        okey,
        created_on as event_on,
        cast(null as bigint) as amount_cents,
        cast(null as integer) as close_day_no,
        cast(null as integer) as node_no
    from {{ ref('int_opportunity_crm_spans') }}
    where is_begun_late

),

-- What the record says comes after all that a night of its day tells.
our_events as (

    select
        okey,
        order_no,
        event_at,
        cast(0 as smallint) as moment_no,
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
        cast(0 as smallint) as moment_no,
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
        record_rows.moment_no,
        least(record_rows.said_until_on, run.as_of_date) as event_on,
        record_rows.stage_no,
        record_rows.amount_cents,
        record_rows.close_day_no,
        record_rows.node_no,
        false as is_entry_assumed
    from {{ ref('int_opportunity_record_rows') }} as record_rows
    cross join run

),

final as (

    select
        our_events.okey,
        our_events.order_no,
        our_events.event_at,
        our_events.moment_no,
        our_events.event_on,
        our_events.stage_no,
        our_events.amount_cents,
        our_events.close_day_no,
        our_events.node_no,
        opportunities.node_no as tonight_node_no,
        our_events.is_entry_assumed
    from our_events
    inner join opportunities on our_events.okey = opportunities.okey

)

select * from final
