-- Grain: one day on which our own nights saw an opportunity change, appear or go; a null says nothing.

{#
    Who is believed, here and nowhere else, for each of stage, amount, closing month and owner by itself:

    1. From the first to the last day on which the CRM's own history speaks of it, that history alone.
    2. Before and after, our nights: the history may have been switched on late, or lag behind the record.
    3. Whether the deal is there at all, our nights alone: no history tells of deleted, restored and merged records.
       While a deal is gone nothing counts; when it comes back, its record says in which stage. One that was merged
       before a night first saw it went when its record was last changed, if its history says nothing after that.
    4. Where neither tells in which stage a deal was since its creation, or tells one that is not configured: open, in
       stage 0.
    5. What the record says tonight holds since the history last spoke of it, where that said something else and no
       night has seen a change since: the history may lack its newest rows, the record may be in quarantine.

    What a first night sees is mostly what the CRM's history said last: to say it again would move nothing, and be one
    row in four of all that is known. Unless a later night has seen a change, and the history never spoke of it: then
    what stood before is what the first night saw.
#}
{% set attributes = history_attributes() -%}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

asked as (

    select
        deals.*,
        coalesce({{ day_number('deals.expected_close_on') }}, 0) as close_day_no,
        spans.has_history,
        {% for attribute in attributes -%}
            spans.{{ attribute }}_from_on,
            spans.{{ attribute }}_until_on,
            spans.is_{{ attribute }}_told
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from {{ ref('int_opportunities') }} as deals
    inner join {{ ref('int_opportunity_crm_spans') }} as spans on deals.okey = spans.okey
    where spans.is_asked_of_nights

),

stages as (

    select
        stage,
        stage_no,
        is_closed,
        is_won
    from {{ ref('stg_night__stage_names') }}

),

{{ owner_nodes() }},

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
        asked.okey,
        log_rows._observed_on as observed_on,
        case
            when log_rows._change = 'deleted' then {{ gone_stage_no() }}
            when log_rows.merged_into_id is not null and merged.record_id is not null then {{ merged_stage_no() }}
        end as gone_stage_no,
        log_rows._observed_on = asked.first_seen_on as is_first,
        asked.first_seen_on = asked.last_changed_on as is_unchanged,
        log_rows.modified_on,
        -- Already there when a night first looked: nobody knows which stages it had been through.
        case
            when night_order.previous_night_on is null
                then asked.created_at is null or asked.created_on < log_rows._observed_on
            else asked.created_at is not null and asked.created_on < night_order.previous_night_on
        end as is_older_than_night,
        coalesce(stages.is_closed, false) as is_closed,
        {{ listed_stage_no('stages.stage_no') }} as stage_no,
        least(asked.created_on, log_rows._observed_on) as created_on,
        -- A closing that states no day of its own has the day that is taken for tonight's outcome, if that had come by
        -- then: else each later edit of a deal would open it again until the night that first saw it closed.
        least(
            case
                when log_rows._observed_on = asked.last_changed_on then asked.closed_on
                else coalesce(
                    log_rows.closed_on,
                    case
                        when stages.is_won = asked.is_won and asked.closed_on <= log_rows._observed_on
                            then asked.closed_on
                    end,
                    log_rows._observed_on
                )
            end,
            run.as_of_date
        ) as closed_on,
        coalesce(
            case
                when coalesce(log_rows.currency, asked.currency) = asked.currency
                    then {{ reporting_cents('log_rows.amount', 'asked.rate', 'asked.currency',
                                            'run.as_of_date') }}
                else {{ reporting_cents('log_rows.amount', 'rates_tonight.rate', 'log_rows.currency',
                                        'run.as_of_date') }}
            end, 0
        ) as amount_cents,
        coalesce({{ day_number('log_rows.expected_close_on') }}, 0) as close_day_no,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        asked.has_history,
        {{ listed_stage_no('asked.stage_no') }} as tonight_stage_no,
        coalesce(asked.amount_cents, 0) as tonight_amount_cents,
        asked.close_day_no as tonight_close_day_no,
        asked.node_no as tonight_node_no,
        {% for attribute in attributes -%}
            asked.{{ attribute }}_from_on,
            asked.{{ attribute }}_until_on,
            asked.is_{{ attribute }}_told
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from {{ ref('stg_log__opportunities') }} as log_rows
    cross join run
    cross join unassigned
    inner join asked on log_rows.opportunity_id = asked.opportunity_id
    inner join night_order on log_rows._observed_on = night_order.night_on
    left join merged on log_rows.opportunity_id = merged.record_id
    left join stages on log_rows.stage = stages.stage
    left join reps on log_rows.owner_id = reps.user_id
    left join rates_tonight on log_rows.currency = rates_tonight.currency

),

weighed as (

    select
        *,
        lag(gone_stage_no) over by_day is not null as is_back,
        lag(observed_on) over by_day as previous_observed_on,
        least(closed_on, lead(observed_on) over by_day) as closes_on,
        is_first and coalesce(observed_on < stage_from_on, true) as is_beginning,
        {% for attribute, column in attributes.items() -%}
            coalesce(observed_on < {{ attribute }}_from_on or observed_on > {{ attribute }}_until_on, true)
            and not coalesce(
                is_first
                and is_{{ attribute }}_told
                and {{ column }} = tonight_{{ column }}
                and (is_unchanged or {{ attribute }}_from_on is not null), false
            ) as tells_{{ attribute }}
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from logged
    window by_day as (partition by okey order by observed_on)

),

said as (

    select
        *,
        is_closed and (tells_stage or is_back) and gone_stage_no is null as is_closing,
        case when gone_stage_no is not null then gone_stage_no when tells_stage or is_back then stage_no end
            as said_stage_no
    from weighed
    where gone_stage_no is not null or is_back or tells_stage or tells_amount or tells_close_month or tells_owner

),

-- A closing holds from its date on, a first stage from the creation, but nothing from before what is known already, nor
-- from after the next night that saw a change: by then a closing that was still to come may have been taken back.
final as (

    select
        okey,
        observed_on,
        case
            when is_closing and is_beginning then closes_on
            when is_closing
                then greatest(
                    closes_on,
                    coalesce(previous_observed_on, closes_on),
                    case when stage_until_on < observed_on then stage_until_on else closes_on end
                )
            when is_beginning and gone_stage_no is null then created_on
            when is_first and gone_stage_no is not null
                then least(
                    observed_on,
                    greatest(
                        coalesce(modified_on, observed_on),
                        {% for attribute in attributes -%}
                            {{ attribute }}_until_on{{ ', ' if not loop.last }}
                        {%- endfor %}
                    )
                )
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
