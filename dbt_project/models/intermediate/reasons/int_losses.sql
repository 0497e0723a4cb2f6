-- Grain: one opportunity in the CRM that is lost tonight: from which stage, and for which stated reason.

{{ config(materialized='view') }}

with stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

last_stays as (

    select
        okey,
        {{ arg_max('stage_no', 'spell_no') }} as stage_no
    from {{ ref('int_stage_spells') }}
    where is_deal_closed and not is_deal_won
    group by okey

),

lost as (

    select
        okey,
        node_no,
        segment,
        loss_reason,
        competitor,
        amount_cents,
        closed_on
    from {{ ref('int_opportunities') }}
    where is_closed and not is_won and not is_deleted

),

final as (

    select
        lost.okey,
        lost.node_no,
        coalesce(stages.stage, '(unknown)') as stage,
        {{ stated_value('lost.loss_reason') }} as reason,
        {{ stated_value('lost.competitor') }} as competitor,
        {{ stated_value('lost.segment') }} as segment,
        lost.amount_cents,
        lost.closed_on
    from lost
    left join last_stays on lost.okey = last_stays.okey
    left join stages on last_stays.stage_no = stages.stage_no

)

select * from final
