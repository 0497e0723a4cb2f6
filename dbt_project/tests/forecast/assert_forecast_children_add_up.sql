-- What is open at a node is the sum of its children's, to the cent; the forecast is that, weighted, plus what has closed. What
-- has closed stays where its owner stood then, as attainment has it (assert_forecast_agrees_with_attainment).
{{ config(tags=['outlook']) }}
with

forecasts as (
    select * from {{ ref('mart_forecast') }}
),

children as (
    select
        forecasts.method,
        forecasts.metric,
        forecasts.period_kind,
        forecasts.period_start_on,
        nodes.parent_node_key,
        sum(forecasts.open_amount) as open_amount,
        sum(forecasts.open_weighted_amount) as open_weighted_amount
    from forecasts
    inner join {{ ref('dim_node') }} as nodes
        on forecasts.node_key = nodes.node_key
        and nodes.is_current
    group by
        forecasts.method,
        forecasts.metric,
        forecasts.period_kind,
        forecasts.period_start_on,
        nodes.parent_node_key
)

select
    forecasts.method,
    forecasts.metric,
    forecasts.period_kind,
    forecasts.period_start_on,
    forecasts.node_key,
    forecasts.open_weighted_amount,
    children.open_weighted_amount as children_weighted
from forecasts
left join children
    on forecasts.method = children.method
    and forecasts.metric = children.metric
    and forecasts.period_kind = children.period_kind
    and forecasts.period_start_on = children.period_start_on
    and forecasts.node_key = children.parent_node_key
where
    forecasts.forecast_expected <> forecasts.closed_amount + forecasts.open_weighted_amount
    or (
        forecasts.node_key not like 'rep:%'
        and (
            -- A team that everybody has left has no children any more, and nothing to its name.
            forecasts.open_amount <> coalesce(children.open_amount, 0)
            or forecasts.open_weighted_amount <> coalesce(children.open_weighted_amount, 0)
        )
    )
