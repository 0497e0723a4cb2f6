-- Nothing lost, nothing computed again: every target of a plan file stands in mart_target as it was allocated.
{{ config(tags=['outlook']) }}
select
    planned.plan_version,
    planned.metric,
    planned.period_kind,
    planned.period_start_on,
    planned.node_key
from {{ ref('stg_night__plan_targets') }} as planned
left join {{ ref('mart_target') }} as targets
    on planned.node_key = targets.node_key
    and {{ same_cell('planned', 'targets') }}
    and targets.origin = 'plan'
where
    targets.node_key is null
    or targets.target_base <> {{ cents_to_amount('planned.base_hundredths') }}
    or coalesce(targets.target_stretch, -1) <> coalesce({{ cents_to_amount('planned.stretch_hundredths') }}, -1)
    or targets.derivation <> planned.derivation
