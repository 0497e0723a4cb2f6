-- Grain: one text that stands for a stage, reason, competitor or segment of losses; 0 is the total of all.

{{ config(database=target.database, schema='basis') }}

with lost as (

    select distinct
        segment,
        loss_reason,
        competitor
    from {{ ref('int_opportunities') }}
    where is_closed and not is_won and not is_deleted

),

stated as (

    select {{ stated_value('segment') }} as value from lost
    union
    select {{ stated_value('loss_reason') }} as value from lost
    union
    select {{ stated_value('competitor') }} as value from lost
    union
    select stage as value from {{ ref('stg_night__stages') }}
    union
    select '(unknown)' as value

),

final as (

    select
        {{ dense_key('value') }} as value_no,
        value
    from stated

    union all

    select
        0 as value_no,
        'all' as value

)

select * from final
