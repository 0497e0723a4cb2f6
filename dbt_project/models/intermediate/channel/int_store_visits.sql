-- Grain: one visit to a store, planned or not, up to the as-of date.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

visits as (

    {{ current_rows('store_visit') }}

),

stores as (

    select * from {{ ref('int_stores') }}

),

{{ owner_nodes() }},

-- An export without a mark lists the visits that were made; nobody planned what is not marked as planned.
judged as (

    select
        visits.visit_id,
        visits.store_id,
        stores.channel,
        stores.node_no as store_node_no,
        coalesce(reps.node_no, stores.node_no, unassigned.node_no) as visitor_node_no,
        visits.visited_on,
        coalesce(visits.is_planned, false) as is_planned,
        coalesce(visits.is_done, true) as is_done,
        visits.sku_stocked,
        visits.sku_sold,
        visits.units_opening,
        visits.units_received,
        visits.units_sold,
        visits.units_on_hand
    from visits
    cross join run
    cross join unassigned
    left join stores on visits.store_id = stores.store_id
    left join reps on visits.owner_id = reps.user_id
    where visits.visited_on <= run.as_of_date

),

followed as (

    select
        judged.*,
        lag(units_on_hand) over by_time as units_left,
        lead(visited_on) over by_time as next_visited_on
    from judged
    window by_time as (partition by store_id, is_done order by visited_on, visit_id)

),

-- What was in stock before the visit: as stated, as counted at the visit before, or what then came, went and is left.
final as (

    select
        visit_id,
        store_id,
        coalesce(channel, '(none)') as channel,
        store_node_no,
        visitor_node_no,
        visited_on,
        next_visited_on,
        is_planned,
        is_done,
        sku_stocked,
        sku_sold,
        coalesce(
            units_opening,
            units_left,
            {{ not_negative('units_on_hand + units_sold - coalesce(units_received, 0)') }}
        ) as units_opening,
        units_received,
        units_sold
    from followed

)

select * from final
