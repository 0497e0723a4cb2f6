-- What the reps did is what the company did, in every period. Rates do not add up.
{{ config(tags=['outlook']) }}
select
    attainment.metric,
    attainment.period_kind,
    attainment.period_start_on,
    sum(case when attainment.node_key like 'rep:%' then attainment.actual else 0 end) as actual_reps,
    sum(case when attainment.node_key = 'company' then attainment.actual else 0 end) as actual_company
from {{ ref('mart_target_attainment') }} as attainment
where attainment.unit <> 'percent'
group by attainment.metric, attainment.period_kind, attainment.period_start_on
having
    sum(case when attainment.node_key like 'rep:%' then attainment.actual else 0 end)
    <> sum(case when attainment.node_key = 'company' then attainment.actual else 0 end)
