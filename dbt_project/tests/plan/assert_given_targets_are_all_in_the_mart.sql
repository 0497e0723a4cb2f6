-- Nothing lost: every target that a source gives stands in mart_target at its own cell, with its own amount.
{{ config(tags=['outlook']) }}
select
    given.plan_version,
    given.metric,
    given.period_kind,
    given.period_start_on,
    given.node_key
from {{ ref('int_targets_resolved') }} as given
left join {{ ref('mart_target') }} as targets
    on given.node_key = targets.node_key
    and given.metric = targets.metric
    and given.period_kind = targets.period_kind
    and given.period_start_on = targets.period_start_on
    and targets.origin = 'source'
    and targets.plan_version in (given.plan_version, concat(given.plan_version, ' (source)'))
    and targets.derivation = 'given'
where targets.node_key is null or targets.target_base <> {{ cents_to_amount('given.base_hundredths') }}
