-- Grain: one rule and node kind.

with source as (

    select * from {{ source('night', 'alert_rule') }}

),

final as (

    select
        rule_id,
        metric,
        kind,
        period_kind,
        node_kind,
        warn_below,
        critical_below,
        clear_above,
        min_elapsed
    from source

)

select * from final
