-- Grain: one rule of variable pay of one plan version.

with source as (

    select * from {{ source('night', 'incentive_rule') }}

),

final as (

    select
        plan_version,
        rule_id,
        rule_no,
        name_en,
        name_zh,
        kind,
        metric,
        metric_name_en,
        metric_name_zh,
        unit,
        period_kind,
        tier_mode,
        target_pay_cents,
        per_unit_cents,
        cap_cents,
        has_clawback
    from source

)

select * from final
