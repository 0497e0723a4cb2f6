-- Grain: one lead on which activities are recorded: when the first was.

with activities as (

    select * from {{ ref('int_activities') }}

),

final as (

    select
        lead_id,
        min(occurred_at) as occurred_at,
        min(occurred_on) as occurred_on
    from activities
    where lead_id is not null
    group by lead_id

)

select * from final
