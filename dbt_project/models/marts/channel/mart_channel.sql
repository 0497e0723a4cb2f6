-- Grain: one month or quarter, node and channel ('all' and each) with stores or visits.

with cells as (

    select * from {{ ref('int_channel_rolled_up') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        cells.period_kind,
        cells.period_start_on,
        nodes.node_key,
        cells.channel,
        cells.stores,
        cells.stores_seen,
        cells.stores_carrying,
        round({{ ratio('cells.stores_carrying', 'cells.stores') }}, 6) as numeric_distribution,
        round({{ ratio('cells.weight_carrying', 'cells.weight_all') }}, 6) as weighted_distribution,
        cells.stores_visited,
        cells.store_visits,
        round({{ ratio('cells.store_visits', 'cells.stores') }}, 6) as visits_per_store,
        cells.visits_planned,
        cells.visits_planned_done,
        round({{ ratio('cells.visits_planned_done', 'cells.visits_planned') }}, 6) as route_compliance,
        cells.sku_stocked,
        cells.sku_sold,
        round({{ ratio('cells.sku_sold', 'cells.sku_stocked') }}, 6) as sell_through_sku,
        cells.stores_counted,
        cells.units_opening,
        cells.units_received,
        cells.units_sold,
        round({{ ratio('cells.units_sold', 'cells.units_opening + cells.units_received') }}, 6) as sell_through_units,
        run.as_of_date,
        run.run_id
    from cells
    cross join run
    inner join nodes on cells.node_no = nodes.node_no

)

select * from final
