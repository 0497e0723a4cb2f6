-- Grain: one booking up to the as-of date.

{{ config(materialized='view') }}

with bookings as (

    select * from {{ in_version(ref('int_bookings')) }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ in_version(ref('stg_night__run')) }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ in_version(ref('int_nodes')) }}

),

final as (

    select
        bookings.booking_kind,
        bookings.booking_id,
        bookings.booked_on,
        nodes.node_key,
        bookings.owner_id,
        bookings.opportunity_id,
        bookings.contract_id,
        bookings.line_item_id,
        bookings.account_id,
        bookings.product_id,
        {{ cents_to_amount('bookings.amount_cents') }} as amount,
        {{ cents_to_amount('bookings.margin_cents') }} as margin,
        bookings.amount_original,
        bookings.currency,
        run.as_of_date,
        run.run_id
    from bookings
    cross join run
    inner join nodes on bookings.node_no = nodes.node_no

)

select * from final
