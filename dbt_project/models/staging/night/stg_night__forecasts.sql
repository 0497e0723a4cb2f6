-- Grain: one method, metric, period and node.

with source as (

    select * from {{ source('night', 'forecast') }}

),

final as (

    select
        as_of_date,
        run_id,
        method,
        metric,
        period_kind,
        period_start_on,
        node_key,
        closed_amount,
        open_amount,
        open_weighted_amount,
        expected_amount,
        p10,
        p50,
        p90,
        n_open
    from source

)

select * from final
