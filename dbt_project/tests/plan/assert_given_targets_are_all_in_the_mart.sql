-- Nothing lost: every target as given stands in mart_target at its own cell, with its own amount.
select
    given.plan_version,
    given.metric,
    given.period_kind,
    given.period_start_on,
    given.node_key
from {{ ref('int_targets_resolved') }} as given
left join {{ ref('mart_target') }} as targets
    on given.node_key = targets.node_key
    and {{ same_cell('given', 'targets') }}
    and targets.derivation = 'given'
where targets.node_key is null or targets.target_base <> {{ cents_to_amount('given.base_hundredths') }}
