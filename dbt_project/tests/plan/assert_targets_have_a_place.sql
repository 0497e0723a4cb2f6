-- A target whose node or period cannot be found is kept in mart_target with its fault and is part of no sum. One misspelt name
-- must not keep a company from its figures: it warns, and the summary of the run names it.
{{ config(severity='warn', tags=['outlook']) }}
select
    plan_version,
    metric,
    period_kind,
    period_start_on,
    node_key,
    fault
from {{ ref('mart_target') }}
where fault is not null
