-- Grain: one day on which our own nights saw an opportunity change, appear or go; a null says nothing.

{#
    Who is believed, here and nowhere else, for each of stage, amount, closing month and owner by itself:

    1. From the first to the last day on which the CRM's own history speaks of it, that history alone.
    2. Before and after, our nights: the history may have been switched on late, or lag behind the record.
    3. Whether the deal is there at all, our nights alone: no history tells of deleted, restored and merged records.
       While a deal is gone nothing counts; when it comes back, its record says in which stage.
    4. Where neither tells in which stage a deal was since its creation: open, in stage 0.

    What a first night sees is mostly what the CRM's history said last: to say it again would move nothing, and be one
    row in four of all that is known.
#}
{% set attributes = {
    'stage': 'stage_no', 'amount': 'amount_cents', 'close_month': 'close_day_no', 'owner': 'node_no',
} -%}
{% set is_news = "gone_stage_no is not null or tells_stage or tells_amount or tells_close_month or tells_owner" -%}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

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

merged as (

    select record_id
    from {{ ref('int_merged_records') }}
    where kind = 'opportunity' and not is_circular

),

logged as (

    select
        opportunities.okey,
        log_rows._observed_on as observed_on,
        case
            when log_rows._change = 'deleted' then {{ gone_stage_no() }}
            when log_rows.merged_into_id is not null and merged.record_id is not null then {{ merged_stage_no() }}
        end as gone_stage_no,
        log_rows._observed_on = opportunities.first_seen_on as is_first,
        opportunities.first_seen_on = opportunities.last_changed_on as is_only,
        -- Already there when a night first looked: nobody knows which stages it had been through.
        case
            when night_order.previous_night_on is null
                then opportunities.created_at is null or opportunities.created_on < log_rows._observed_on
            else opportunities.created_at is not null and opportunities.created_on < night_order.previous_night_on
        end as is_older_than_night,
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
        coalesce(
            case
                when coalesce(log_rows.currency, opportunities.currency) = opportunities.currency
                    then {{ reporting_cents('log_rows.amount', 'opportunities.rate', 'opportunities.currency',
                                            'run.as_of_date') }}
                else {{ reporting_cents('log_rows.amount', 'rates_tonight.rate', 'log_rows.currency',
                                        'run.as_of_date') }}
            end, 0
        ) as amount_cents,
        coalesce({{ day_number('log_rows.expected_close_on') }}, 0) as close_day_no,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        opportunities.stage_no as tonight_stage_no,
        coalesce(opportunities.amount_cents, 0) as tonight_amount_cents,
        coalesce({{ day_number('opportunities.expected_close_on') }}, 0) as tonight_close_day_no,
        opportunities.node_no as tonight_node_no
    from {{ ref('stg_log__opportunities') }} as log_rows
    cross join run
    cross join unassigned
    inner join opportunities on log_rows.opportunity_id = opportunities.opportunity_id
    inner join night_order on log_rows._observed_on = night_order.night_on
    left join merged on log_rows.opportunity_id = merged.record_id
    left join stages on log_rows.stage = stages.stage
    left join reps on log_rows.owner_id = reps.user_id
    left join rates_tonight on log_rows.currency = rates_tonight.currency

),

-- Nothing new is a first night's word that stands tonight and that the history repeated since it last said anything
-- otherwise, by day. Where the history never spoke of an amount or an owner, tonight's holds unsaid.
weighed as (

    select
        logged.*,
        spans.okey is not null as has_history,
        case when logged.observed_on > spans.stage_until_on then spans.stage_until_on end as stage_until_on,
        logged.is_first and coalesce(logged.observed_on < spans.stage_from_on, true) as is_beginning,
        {% for attribute, column in attributes.items() -%}
            coalesce(
                logged.observed_on < spans.{{ attribute }}_from_on
                or logged.observed_on > spans.{{ attribute }}_until_on,
                true
            )
            and not coalesce(
                logged.is_first
                and logged.{{ column }} = logged.tonight_{{ column }}
                and coalesce(
                    logged.observed_on > spans.{{ attribute }}_until_on
                    and (spans.otherwise_on is null or spans.otherwise_on < spans.{{ attribute }}_until_on),
                    {{ attribute in ('amount', 'owner') }}
                ),
                false
            ) as tells_{{ attribute }}
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from logged
    left join {{ ref('int_opportunity_crm_spans') }} as spans on logged.okey = spans.okey

),

-- What a deal was before is asked of those that were seen more than once, or have something to say.
followed as (

    select
        *,
        lag(gone_stage_no) over by_day is not null as is_back,
        lag(observed_on) over by_day as previous_observed_on
    from weighed
    where not is_only or {{ is_news }}
    window by_day as (partition by okey order by observed_on)

),

said as (

    select
        *,
        is_closed and (tells_stage or is_back) and gone_stage_no is null as is_closing,
        case when gone_stage_no is not null then gone_stage_no when tells_stage or is_back then stage_no end
            as said_stage_no
    from followed
    where is_back or {{ is_news }}

),

-- A closing holds from its date on, a first stage from the creation, but nothing from before what is known already.
final as (

    select
        okey,
        observed_on,
        case
            when is_closing and is_beginning then closed_on
            when is_closing
                then greatest(
                    closed_on, coalesce(previous_observed_on, closed_on), coalesce(stage_until_on, closed_on)
                )
            when is_beginning and gone_stage_no is null then created_on
            else observed_on
        end as holds_on,
        created_on,
        has_history,
        gone_stage_no is not null as is_gone,
        is_back,
        is_beginning,
        is_beginning and is_older_than_night as is_entry_assumed,
        is_closing,
        said_stage_no as stage_no,
        case when tells_amount then amount_cents end as amount_cents,
        case when tells_close_month then close_day_no end as close_day_no,
        case when tells_owner then node_no end as node_no
    from said

)

select * from final
