-- Grain: one alert.

with source as (

    select * from {{ source('night', 'alert') }}

),

final as (

    select
        alert_id,
        rule_id,
        metric,
        node_key,
        period_kind,
        period_start_on,
        state,
        severity,
        opened_on,
        updated_on,
        resolved_on,
        recipients,
        measured,
        expected
    from source

)

select * from final
