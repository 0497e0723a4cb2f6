-- Grain: one recorded state of one opportunity: what held from `event_on` until `next_on`.

{{ config(database=target.database, schema='basis') }}

{#
    `order_no` puts the rows of a deal in order: by day, and within a day what nobody recorded, what a night tells of
    the beginning, what the CRM's history tells (by its moments, then its numbers), what a night sees at its end, and
    what the record says otherwise. Those that are not the CRM's have a model of their own.
#}
{% set first_day = "cast('1970-01-01' as date)" %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select
        okey,
        coalesce(amount_cents, 0) as amount_cents,
        coalesce({{ day_number('expected_close_on') }}, 0) as close_day_no
    from {{ ref('int_opportunities') }}

),

crm_rows as (

    select
        okey,
        changed_at,
        cast(0 as smallint) as moment_no,
        changed_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no
    from {{ ref('int_opportunity_crm_rows') }} as alone
    where not exists (
        select 1
        from {{ ref('int_opportunity_crm_ties') }} as ties
        where alone.okey = ties.okey and alone.changed_at = ties.changed_at
    )

    union all

    select
        okey,
        changed_at,
        moment_no,
        changed_on,
        stage_no,
        amount_cents,
        close_day_no,
        node_no,
        tonight_node_no
    from {{ ref('int_opportunity_crm_ties') }}

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
        crm_rows.moment_no,
        least(crm_rows.changed_on, run.as_of_date) as event_on,
        crm_rows.stage_no,
        crm_rows.amount_cents,
        crm_rows.close_day_no,
        crm_rows.node_no,
        crm_rows.tonight_node_no,
        false as is_entry_assumed
    from crm_rows
    cross join run
    left join gaps
        on
            crm_rows.okey = gaps.okey
            and crm_rows.changed_on > gaps.gone_on
            and crm_rows.changed_on <= coalesce(gaps.back_on, crm_rows.changed_on)
    where gaps.okey is null

),

event_rows as (

    select * from crm_events

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
        tonight_node_no,
        lag(stage_no ignore nulls) over by_time as previous_stage_no,
        lag(amount_cents ignore nulls) over by_time as previous_amount_cents,
        lag(close_day_no ignore nulls) over by_time as previous_close_day_no,
        lag(node_no ignore nulls) over by_time as previous_node_no,
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

-- A null means "as before"; before the first statement, "as tonight".
carried as (

    select
        okey,
        event_no,
        event_on,
        next_on,
        coalesce(stage_no, previous_stage_no, {{ unknown_stage_no() }}) as stage_no,
        coalesce(previous_stage_no, {{ unknown_stage_no() }}) as previous_stage_no,
        coalesce(amount_cents, previous_amount_cents) as amount_cents,
        coalesce(close_day_no, previous_close_day_no) as close_day_no,
        previous_close_day_no,
        coalesce(node_no, previous_node_no, tonight_node_no) as node_no,
        coalesce(previous_node_no, tonight_node_no) as previous_node_no,
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
