-- Grain: one booking up to the as-of date.

with bookings as (

    select * from {{ ref('int_bookings') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        bookings.booking_kind,
        bookings.booking_id,
        bookings.booked_on,
        bookings.node_key,
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

)

select * from final
