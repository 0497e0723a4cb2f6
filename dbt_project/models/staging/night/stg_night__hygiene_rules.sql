-- Grain: one open stage, and one row without a stage for all others.

with source as (

    select * from {{ source('night', 'hygiene_rule') }}

),

final as (

    select
        stage,
        no_touch_working_days,
        max_days,
        overdue_days,
        lying_signals,
        serial_push_months,
        dwell_min_n,
        needs_budget,
        needs_decision_maker,
        needs_need,
        needs_timing
    from source

)

select * from final
