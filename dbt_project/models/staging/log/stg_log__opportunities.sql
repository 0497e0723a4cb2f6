-- Grain: one change of an opportunity (key opportunity_id) on one night.

with source as (

    select * from {{ source('log', 'opportunity') }}

),

final as (

    select
        opportunity_id,
        name,
        account_id,
        owner_id,
        stage,
        amount,
        currency,
        created_at,
        created_on,
        expected_close_on,
        closed_at,
        closed_on,
        product_id,
        segment,
        region,
        source,
        forecast_category,
        loss_reason,
        competitor,
        next_step,
        has_budget,
        has_decision_maker,
        has_need,
        has_timing,
        buying_elements,
        modified_at,
        modified_on,
        merged_into_id,
        _change,
        _valid_from,
        coalesce(_observed_on, _valid_from) as _observed_on,
        _source,
        _file,
        _row,
        _row_hash
    from source

)

select * from final
