-- Grain: one metric and one booking or won deal that was cancelled after it was booked, worth what it then was.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

rates as (
    select * from {{ ref('int_fx_rates_daily') }}
),

contracts as (
    select * from {{ ref('int_contract_cancellations') }}
),

won_deals as (
    select * from {{ ref('int_won_deal_cancellations') }}
),

bookings as (
    select * from {{ ref('int_bookings') }}
),

deals_without_contract as (
    select * from {{ ref('int_deal_contract_cancellations') }}
),

-- Whichever record is booked here: a deal or contract as it was last known, an order line that left the source.
unpriced as (
    select
        won_deals.opportunity_id as booking_id,
        won_deals.opportunity_id,
        cast(null as {{ dbt.type_string() }}) as contract_id,
        won_deals.owner_id,
        won_deals.booked_on,
        won_deals.cancelled_on,
        won_deals.amount,
        cast(null as decimal(18, 2)) as cost,
        won_deals.currency,
        runs.bookings_from = 'opportunity' as is_booking,
        true as is_deal
    from won_deals
    cross join runs

    union all

    select
        contracts.contract_id as booking_id,
        contracts.opportunity_id,
        contracts.contract_id,
        contracts.owner_id,
        contracts.signed_on as booked_on,
        contracts.cancelled_on,
        contracts.amount,
        contracts.cost,
        contracts.currency,
        true as is_booking,
        false as is_deal
    from contracts
    inner join runs on runs.bookings_from = 'contract'

    union all

    select
        line_items.line_item_id as booking_id,
        line_items.opportunity_id,
        line_items.contract_id,
        line_items.owner_id,
        line_items.booked_on,
        line_items.cancelled_on,
        line_items.amount,
        line_items.cost,
        line_items.currency,
        true as is_booking,
        false as is_deal
    from {{ ref('int_line_item_cancellations') }} as line_items
    inner join runs on runs.bookings_from = 'line_item'
),

priced as (
    select
        unpriced.*,
        {{ reporting_cents('unpriced.amount', 'rates.rate', 'unpriced.currency', 'unpriced.booked_on') }}
            as amount_cents,
        {{ reporting_cents('unpriced.cost', 'rates.rate', 'unpriced.currency', 'unpriced.booked_on') }} as cost_cents
    from unpriced
    cross join runs
    left join rates
        on coalesce(unpriced.currency, runs.reporting_currency) = rates.currency and unpriced.booked_on = rates.day
    where unpriced.booked_on <= runs.as_of_date
),

-- What still stands in the bookings: a deal all of whose contracts are cancelled, a line of a cancelled contract.
standing as (
    select
        bookings.booking_id,
        bookings.opportunity_id,
        bookings.contract_id,
        bookings.owner_id,
        bookings.booked_on,
        case
            when bookings.booking_kind = 'opportunity' then deals_without_contract.cancelled_on
            else contracts.cancelled_on
        end as cancelled_on,
        bookings.amount_cents,
        bookings.amount_cents - bookings.margin_cents as cost_cents,
        bookings.booking_kind = 'opportunity' as is_deal
    from bookings
    left join deals_without_contract on bookings.opportunity_id = deals_without_contract.opportunity_id
    left join contracts on bookings.contract_id = contracts.contract_id
    where
        (bookings.booking_kind = 'opportunity' and deals_without_contract.cancelled_on is not null)
        or (bookings.booking_kind = 'line_item' and contracts.cancelled_on is not null)
),

every_record as (
    select
        booking_id,
        opportunity_id,
        contract_id,
        owner_id,
        booked_on,
        cancelled_on,
        amount_cents,
        cost_cents,
        is_booking,
        is_deal
    from priced

    union all

    select
        booking_id,
        opportunity_id,
        contract_id,
        owner_id,
        booked_on,
        cancelled_on,
        amount_cents,
        cost_cents,
        true as is_booking,
        is_deal
    from standing
),

-- A record without an owner of its own has that of its contract or deal, as bookings do.
owned as (
    select
        every_record.*,
        coalesce(every_record.owner_id, current_contracts.owner_id, opportunities.owner_id) as credited_to
    from every_record
    left join {{ ref('int_contracts') }} as current_contracts
        on every_record.contract_id = current_contracts.contract_id
    left join {{ ref('int_opportunities') }} as opportunities
        on every_record.opportunity_id = opportunities.opportunity_id
),

by_metric as (
    select
        *,
        'bookings' as metric,
        amount_cents as hundredths
    from owned
    where is_booking

    union all

    select
        *,
        'margin' as metric,
        amount_cents - cost_cents as hundredths
    from owned
    where is_booking

    union all

    select
        *,
        'won_count' as metric,
        cast(100 as bigint) as hundredths
    from owned
    where is_deal
),

final as (
    select
        metric,
        booking_id as record_id,
        opportunity_id,
        contract_id,
        credited_to as owner_id,
        booked_on,
        greatest(cancelled_on, booked_on) as cancelled_on,
        hundredths
    from by_metric
    where hundredths is not null
)

select * from final
