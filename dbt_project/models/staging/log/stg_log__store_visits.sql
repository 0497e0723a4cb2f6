-- Grain: one change of a store_visit (key visit_id) on one night.

with source as (

    select * from {{ source('log', 'store_visit') }}

),

final as (

    select
        visit_id,
        store_id,
        owner_id,
        visited_on,
        is_planned,
        is_done,
        sku_stocked,
        sku_sold,
        units_opening,
        units_received,
        units_sold,
        units_on_hand,
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
