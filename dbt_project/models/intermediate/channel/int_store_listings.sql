-- Grain: one stretch of visits to a store that found products, or found none: from which day until which.

with counted as (

    select
        store_id,
        visit_id,
        visited_on,
        sku_stocked > 0 as is_listed,
        lag(sku_stocked > 0) over (partition by store_id order by visited_on, visit_id) as was_listed
    from {{ ref('int_store_visits') }}
    -- A visit that counted nothing says nothing.
    where is_done and sku_stocked is not null

),

final as (

    select
        store_id,
        is_listed,
        coalesce(was_listed, false) and not is_listed as is_delisted,
        visited_on as from_on,
        lead(visited_on) over (partition by store_id order by visited_on, visit_id) as until_on
    from counted
    where was_listed is null or was_listed <> is_listed

)

select * from final
