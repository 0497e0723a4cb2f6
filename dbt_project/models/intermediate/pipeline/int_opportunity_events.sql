-- Grain: one recorded state of one opportunity: what held from `event_on` until `next_on`.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select
        okey,
        opportunity_id,
        node_no,
        stage_no,
        is_closed,
        is_deleted,
        coalesce(amount_cents, 0) as amount_cents,
        coalesce({{ month_number('expected_close_on') }}, 0) as close_month_no,
        currency,
        rate,
        created_at,
        created_on,
        closed_on,
        first_seen_on,
        last_changed_on
    from {{ ref('int_opportunities') }}

),

stages as (

    select
        stage,
        stage_no,
        is_closed
    from {{ ref('stg_night__stages') }}

),

reps as (

    select
        user_id,
        node_no
    from {{ ref('int_nodes') }}
    where node_kind = 'rep' and user_id is not null

),

unassigned as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

),

rates_tonight as (

    select
        rates.currency,
        rates.rate
    from {{ ref('int_fx_rates_daily') }} as rates
    inner join run on rates.day = run.as_of_date

),

night_days as (

    select distinct _observed_on as night_on
    from {{ ref('stg_log__opportunities') }}

),

night_order as (

    select
        night_on,
        lag(night_on) over (order by night_on) as previous_night_on
    from night_days

),

history as (

    {{ current_rows('opportunity_history') }}

),

-- The CRM's own history. Amounts follow the rate of their deal; one in another currency than its deal, tonight's rate.
history_rows as (

    select
        opportunities.okey,
        0 as is_final,
        history.changed_at as event_at,
        history.history_id,
        least(history.changed_on, run.as_of_date) as event_on,
        stages.stage_no,
        case
            when coalesce(history.currency, opportunities.currency) = opportunities.currency
                then {{ reporting_cents('history.amount', 'opportunities.rate', 'opportunities.currency',
                                        'run.as_of_date') }}
            else {{ reporting_cents('history.amount', 'rates_tonight.rate', 'history.currency', 'run.as_of_date') }}
        end as amount_cents,
        {{ month_number('history.expected_close_on') }} as close_month_no,
        reps.node_no,
        opportunities.amount_cents as tonight_amount_cents,
        opportunities.close_month_no as tonight_close_month_no,
        opportunities.node_no as tonight_node_no,
        false as is_entry_assumed
    from history
    cross join run
    inner join opportunities on history.opportunity_id = opportunities.opportunity_id
    left join stages on history.stage = stages.stage
    left join reps on history.owner_id = reps.user_id
    left join rates_tonight on history.currency = rates_tonight.currency

),

staged_by_history as (

    select distinct okey
    from history_rows
    where stage_no is not null

),

-- What the deal is tonight ends its recorded history, in case that lags behind.
final_rows as (

    select
        opportunities.okey,
        1 as is_final,
        cast(opportunities.last_changed_on as timestamp) as event_at,
        '' as history_id,
        case
            when opportunities.is_closed and not opportunities.is_deleted
                then least(opportunities.closed_on, run.as_of_date)
            else opportunities.last_changed_on
        end as event_on,
        case when opportunities.is_deleted then {{ gone_stage_no() }} else opportunities.stage_no end as stage_no,
        opportunities.amount_cents,
        opportunities.close_month_no,
        opportunities.node_no,
        opportunities.amount_cents as tonight_amount_cents,
        opportunities.close_month_no as tonight_close_month_no,
        opportunities.node_no as tonight_node_no,
        false as is_entry_assumed
    from opportunities
    cross join run
    inner join staged_by_history on opportunities.okey = staged_by_history.okey

),

-- Where the CRM keeps no history of a deal's stage, our own nights do: what each of them saw change.
nights as (

    select
        opportunities.okey,
        log_rows._observed_on,
        log_rows._observed_on = opportunities.first_seen_on as is_first,
        -- Already there when a night first looked: nobody knows which stages it had been through.
        case
            when night_order.previous_night_on is null
                then opportunities.created_at is null or opportunities.created_on < log_rows._observed_on
            else opportunities.created_at is not null and opportunities.created_on < night_order.previous_night_on
        end as is_older_than_night,
        log_rows._change = 'deleted' as is_deleted,
        coalesce(stages.is_closed, false) as is_closed,
        stages.stage_no,
        least(opportunities.created_on, log_rows._observed_on) as created_on,
        least(
            case
                when log_rows._observed_on = opportunities.last_changed_on then opportunities.closed_on
                else coalesce(log_rows.closed_on, log_rows._observed_on)
            end,
            run.as_of_date
        ) as closed_on,
        case
            when coalesce(log_rows.currency, opportunities.currency) = opportunities.currency
                then {{ reporting_cents('log_rows.amount', 'opportunities.rate', 'opportunities.currency',
                                        'run.as_of_date') }}
            else {{ reporting_cents('log_rows.amount', 'rates_tonight.rate', 'log_rows.currency', 'run.as_of_date') }}
        end as amount_cents,
        coalesce({{ month_number('log_rows.expected_close_on') }}, 0) as close_month_no,
        coalesce(reps.node_no, unassigned.node_no) as node_no
    from {{ ref('stg_log__opportunities') }} as log_rows
    cross join run
    cross join unassigned
    inner join opportunities on log_rows.opportunity_id = opportunities.opportunity_id
    inner join night_order on log_rows._observed_on = night_order.night_on
    left join staged_by_history on opportunities.okey = staged_by_history.okey
    left join stages on log_rows.stage = stages.stage
    left join reps on log_rows.owner_id = reps.user_id
    left join rates_tonight on log_rows.currency = rates_tonight.currency
    where staged_by_history.okey is null

),

nightly_rows as (

    select
        okey,
        0 as is_final,
        cast(_observed_on as timestamp) as event_at,
        '' as history_id,
        case
            when is_deleted then _observed_on
            when is_closed then closed_on
            when is_first then created_on
            else _observed_on
        end as event_on,
        case when is_deleted then {{ gone_stage_no() }} else stage_no end as stage_no,
        coalesce(amount_cents, 0) as amount_cents,
        close_month_no,
        node_no,
        cast(null as bigint) as tonight_amount_cents,
        cast(null as integer) as tonight_close_month_no,
        cast(null as integer) as tonight_node_no,
        is_first and is_older_than_night as is_entry_assumed
    from nights

),

-- A deal first seen when it was closed stood open before, in stages nobody recorded.
unrecorded_rows as (

    select
        okey,
        0 as is_final,
        cast(null as timestamp) as event_at,
        '' as history_id,
        least(created_on, closed_on) as event_on,
        {{ unknown_stage_no() }} as stage_no,
        coalesce(amount_cents, 0) as amount_cents,
        close_month_no,
        node_no,
        cast(null as bigint) as tonight_amount_cents,
        cast(null as integer) as tonight_close_month_no,
        cast(null as integer) as tonight_node_no,
        false as is_entry_assumed
    from nights
    where is_first and is_closed

),

event_rows as (

    select history_rows.*
    from history_rows
    inner join staged_by_history on history_rows.okey = staged_by_history.okey
    union all
    select * from final_rows
    union all
    select * from nightly_rows
    union all
    select * from unrecorded_rows

),

-- The one window over all of history. A null means "as before"; before the first statement, "as tonight".
sequenced as (

    select
        okey,
        cast(row_number() over by_time as smallint) as event_no,
        greatest(event_on, coalesce(lag(event_on) over by_time, event_on)) as event_on,
        case
            when lead(event_on) over by_time is not null then greatest(event_on, lead(event_on) over by_time)
        end as next_on,
        last_value(stage_no ignore nulls) over until_now as stage_no,
        last_value(stage_no ignore nulls) over until_before as previous_stage_no,
        coalesce(last_value(amount_cents ignore nulls) over until_now, tonight_amount_cents) as amount_cents,
        coalesce(last_value(close_month_no ignore nulls) over until_now, tonight_close_month_no)
            as close_month_no,
        last_value(close_month_no ignore nulls) over until_before as previous_close_month_no,
        coalesce(last_value(node_no ignore nulls) over until_now, tonight_node_no) as node_no,
        is_entry_assumed
    from event_rows
    window
        by_time as (partition by okey order by is_final, event_at nulls first, history_id),
        until_now as (
            partition by okey order by is_final, event_at nulls first, history_id
            rows between unbounded preceding and current row
        ),
        until_before as (
            partition by okey order by is_final, event_at nulls first, history_id
            rows between unbounded preceding and 1 preceding
        )

),

final as (

    select
        okey,
        event_no,
        event_on,
        next_on,
        cast(coalesce(stage_no, {{ unknown_stage_no() }}) as smallint) as stage_no,
        cast(coalesce(previous_stage_no, {{ unknown_stage_no() }}) as smallint) as previous_stage_no,
        amount_cents,
        close_month_no,
        previous_close_month_no,
        node_no,
        is_entry_assumed
    from sequenced

)

select * from final
