-- What the forecast takes as closed and as open is what attainment measures, cell by cell.
{{ config(tags=['outlook']) }}
select
    forecasts.metric,
    forecasts.period_kind,
    forecasts.period_start_on,
    forecasts.node_key,
    forecasts.closed_amount,
    attainment.actual,
    forecasts.open_amount,
    attainment.open_amount as open_amount_attainment
from {{ ref('mart_forecast') }} as forecasts
inner join {{ ref('mart_target_attainment') }} as attainment
    on forecasts.metric = attainment.metric
    and forecasts.period_kind = attainment.period_kind
    and forecasts.period_start_on = attainment.period_start_on
    and forecasts.node_key = attainment.node_key
where forecasts.closed_amount <> attainment.actual or forecasts.open_amount <> attainment.open_amount
