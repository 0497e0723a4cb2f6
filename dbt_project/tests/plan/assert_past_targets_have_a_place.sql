-- Targets without a place in fiscal years that are over: only a warning, a plan of the past need not stop tonight's.
{{ config(severity='warn') }}
select
    targets.plan_version,
    targets.metric,
    targets.period_kind,
    targets.period_start_on,
    targets.node_key,
    targets.fault
from {{ ref('mart_target') }} as targets
cross join {{ ref('stg_night__run') }} as runs
where
    targets.fault is not null
    and targets.period_start_on < {{ year_start('runs.as_of_date', 'runs.fiscal_year_start_month') }}
