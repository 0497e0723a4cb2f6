-- Grain: one store and fiscal month in which it was part of the universe, or visits to it were planned or made.

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

described as (

    {{ current_rows('store', with_deleted=true) }}

),

stores as (

    select
        places.store_id,
        places.node_no,
        places.channel,
        described.name,
        described.region,
        described.city
    from {{ ref('int_stores') }} as places
    inner join described on places.store_id = described.store_id

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

universe as (

    select * from {{ ref('int_store_months') }}

),

visits as (

    select * from {{ ref('int_store_visits_by_period') }}
    where period_kind = 'month'

),

months as (

    select * from {{ ref('stg_night__fiscal_months') }}

),

listings as (

    select * from {{ ref('int_store_listings') }}

),

store_months as (

    select
        store_id,
        month_start_on
    from universe

    union distinct

    select
        store_id,
        period_start_on as month_start_on
    from visits

),

final as (

    select
        store_months.store_id,
        store_months.month_start_on,
        months.month_end_on,
        stores.name,
        stores.channel,
        stores.region,
        stores.city,
        nodes.node_key,
        universe.store_id is not null as is_in_universe,
        cast(universe.weight as double) as weight,
        coalesce(visits.last_visited_on, universe.last_visited_on) as last_visited_on,
        coalesce(universe.is_carrying, false) as is_carrying,
        listings.is_delisted,
        case when listings.is_delisted then listings.from_on end as delisted_on,
        coalesce(visits.store_visits, 0) as store_visits,
        coalesce(visits.visits_planned, 0) as visits_planned,
        coalesce(visits.visits_planned_done, 0) as visits_planned_done,
        round({{ ratio('visits.visits_planned_done', 'visits.visits_planned') }}, 6) as route_compliance,
        visits.sku_stocked,
        visits.sku_sold,
        round({{ ratio('visits.sku_sold', 'visits.sku_stocked') }}, 6) as sell_through_sku,
        visits.units_opening,
        visits.units_received,
        visits.units_sold,
        round({{ ratio('visits.units_sold', 'visits.units_opening + visits.units_received') }}, 6)
            as sell_through_units,
        run.as_of_date,
        run.run_id
    from store_months
    cross join run
    inner join stores on store_months.store_id = stores.store_id
    inner join nodes on stores.node_no = nodes.node_no
    inner join months on store_months.month_start_on = months.month_start_on
    left join universe
        on store_months.store_id = universe.store_id and store_months.month_start_on = universe.month_start_on
    left join visits
        on store_months.store_id = visits.store_id and store_months.month_start_on = visits.period_start_on
    left join listings
        on
            store_months.store_id = listings.store_id
            and months.month_end_on >= listings.from_on
            and (listings.until_on is null or months.month_end_on < listings.until_on)

)

select * from final
