-- Grain: one row per method × metric × period × node of tonight's forecast.
with

forecasts as (
    select * from {{ ref('stg_night__forecasts') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

-- One method runs until a backtest ranks several; the first by name is published until then.
published as (
    select
        metric,
        period_kind,
        min(method) as method_name
    from forecasts
    group by metric, period_kind
),

final as (
    select
        forecasts.method,
        forecasts.metric,
        forecasts.period_kind,
        forecasts.period_start_on,
        periods.period_end_on,
        forecasts.node_key,
        published.method_name is not null as is_published,
        forecasts.closed_amount,
        forecasts.open_amount,
        forecasts.open_weighted_amount,
        forecasts.n_open as open_deals,
        forecasts.expected_amount as forecast_expected,
        forecasts.p10 as forecast_p10,
        forecasts.p50 as forecast_p50,
        forecasts.p90 as forecast_p90,
        forecasts.as_of_date,
        forecasts.run_id
    from forecasts
    left join periods
        on forecasts.period_kind = periods.period_kind
            and forecasts.period_start_on = periods.period_start_on
    left join published
        on forecasts.method = published.method_name
            and forecasts.metric = published.metric
            and forecasts.period_kind = published.period_kind
)

select * from final
