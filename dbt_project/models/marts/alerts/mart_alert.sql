-- Grain: one row per alert, as its life stood when the night began.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

alerts as (
    select * from {{ ref('stg_night__alerts') }}
),

final as (
    select
        alerts.alert_id,
        alerts.rule_id,
        alerts.metric,
        alerts.node_key,
        alerts.period_kind,
        alerts.period_start_on,
        alerts.state,
        alerts.severity,
        alerts.opened_on,
        alerts.updated_on,
        alerts.resolved_on,
        {{ days_between('alerts.opened_on', 'coalesce(alerts.resolved_on, runs.as_of_date)') }} as days_open,
        alerts.measured,
        alerts.expected,
        alerts.recipients,
        runs.as_of_date,
        runs.run_id
    from alerts
    cross join runs
)

select * from final
