-- Grain: one metric and one booking, won deal or payment that is shared, or that was cancelled after it was booked.
with

cancellations as (
    select * from {{ ref('int_credit_cancellations') }}
),

split_records as (
    select distinct record_id from {{ ref('stg_night__credit_splits') }}
),

{{ rep_nodes('node_key') }},

bookings as (
    select * from {{ ref('int_bookings') }}
),

opportunities as (
    select * from {{ ref('int_opportunities') }}
    where is_won and not is_deleted
),

cash as (
    select * from {{ ref('int_cash_received') }}
),

-- What counts tonight; what is cancelled and still counts is one of these as well.
standing as (
    select
        'bookings' as metric,
        booking_id as record_id,
        opportunity_id,
        contract_id,
        owner_id,
        booked_on,
        amount_cents as hundredths
    from bookings
    where amount_cents is not null

    union all

    select
        'margin' as metric,
        booking_id as record_id,
        opportunity_id,
        contract_id,
        owner_id,
        booked_on,
        margin_cents as hundredths
    from bookings
    where margin_cents is not null

    union all

    select
        'won_count' as metric,
        opportunity_id as record_id,
        opportunity_id,
        cast(null as {{ dbt.type_string() }}) as contract_id,
        owner_id,
        closed_on as booked_on,
        cast(100 as bigint) as hundredths
    from opportunities

    union all

    -- What is shared of a contract is shared of what comes in for it.
    select
        'cash_collected' as metric,
        payment_id as record_id,
        opportunity_id,
        contract_id,
        owner_id,
        received_on as booked_on,
        amount_cents as hundredths
    from cash
    where amount_cents is not null
),

marked as (
    select
        coalesce(standing.metric, cancellations.metric) as metric,
        coalesce(standing.record_id, cancellations.record_id) as record_id,
        coalesce(standing.opportunity_id, cancellations.opportunity_id) as opportunity_id,
        coalesce(standing.contract_id, cancellations.contract_id) as contract_id,
        coalesce(standing.owner_id, cancellations.owner_id) as owner_id,
        coalesce(standing.booked_on, cancellations.booked_on) as booked_on,
        coalesce(standing.hundredths, cancellations.hundredths) as hundredths,
        standing.record_id is not null as is_in_actuals,
        cancellations.cancelled_on
    from standing
    full join cancellations
        on standing.metric = cancellations.metric
            and standing.record_id = cancellations.record_id
            and standing.booked_on = cancellations.booked_on
),

-- By the most exact of its names: the booking's own, the contract's, the deal's.
named as (
    select
        marked.*,
        coalesce(by_record.record_id, by_contract.record_id, by_deal.record_id) as split_record_id
    from marked
    left join split_records as by_record on marked.record_id = by_record.record_id
    left join split_records as by_contract on marked.contract_id = by_contract.record_id
    left join split_records as by_deal on marked.opportunity_id = by_deal.record_id
),

final as (
    select
        {{ dense_key('named.metric, named.record_id, named.booked_on') }} as record_no,
        named.metric,
        named.record_id,
        coalesce(named.contract_id, named.opportunity_id, named.record_id) as shown_id,
        named.split_record_id,
        named.owner_id,
        coalesce(reps.node_key, {{ unassigned_node_key() }}) as node_key,
        named.booked_on,
        named.cancelled_on,
        named.is_in_actuals,
        named.hundredths
    from named
    left join reps on named.owner_id = reps.user_id
    where named.cancelled_on is not null or named.split_record_id is not null
)

select * from final
