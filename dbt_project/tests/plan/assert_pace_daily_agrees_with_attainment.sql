-- Of tonight the pace day by day is that of the running period, to the last digit: two ways to the same curve.
{{ config(tags=['outlook']) }}
select
    daily.metric,
    daily.period_kind,
    daily.node_key,
    daily.linear_share,
    attainment.linear_share as linear_share_attainment,
    daily.pace_index,
    attainment.pace_index as pace_index_attainment,
    daily.pace_index_calendar,
    attainment.pace_index_calendar as pace_index_calendar_attainment
from {{ ref('mart_pace_daily') }} as daily
inner join {{ ref('mart_target_attainment') }} as attainment
    on daily.metric = attainment.metric
    and daily.period_kind = attainment.period_kind
    and daily.period_start_on = attainment.period_start_on
    and daily.node_key = attainment.node_key
where
    daily.day = daily.as_of_date
    and (
        daily.pace_basis <> attainment.pace_basis
        or daily.pace_node_key is distinct from attainment.pace_node_key
        or daily.linear_share is distinct from attainment.linear_share
        or daily.actual is distinct from attainment.actual
        or daily.expected_to_date is distinct from attainment.expected_to_date
        or daily.pace_index is distinct from attainment.pace_index
        or daily.pace_index_calendar is distinct from attainment.pace_index_calendar
    )
