-- A metric and year that a plan file states is measured against that alone. Where a source states it too, the night says so.
{{ config(severity='warn', tags=['outlook']) }}
select
    plan_version,
    metric,
    fiscal_year_start_on
from {{ ref('int_plan_versions') }}
where is_beside_plan
