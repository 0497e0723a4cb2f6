-- Every current node of a rule's kind with a target in the running period has its row: no rule is silent by accident.
{{ config(tags=['outlook']) }}
select
    rules.rule_id,
    attainment.node_key,
    attainment.period_start_on
from {{ ref('stg_night__alert_rules') }} as rules
inner join {{ ref('dim_node') }} as nodes
    on rules.node_kind = nodes.node_kind
    and nodes.is_current
inner join {{ ref('mart_target_attainment') }} as attainment
    on nodes.node_key = attainment.node_key
    and rules.metric = attainment.metric
    and rules.period_kind = attainment.period_kind
    and attainment.is_current
    and attainment.target_base is not null
left join {{ ref('mart_deviation') }} as deviations
    on rules.rule_id = deviations.rule_id
    and attainment.node_key = deviations.node_key
    and attainment.period_start_on = deviations.period_start_on
where deviations.node_key is null
