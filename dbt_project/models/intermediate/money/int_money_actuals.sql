-- Grain: one row per money metric (new customers among them) × rep node × day, up to and including the as-of date.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

rates as (
    select * from {{ ref('int_fx_rates_daily') }}
),

bookings as (
    select * from {{ ref('int_bookings') }}
),

contracts as (
    select
        contract_id,
        node_key
    from {{ ref('int_contracts') }}
),

payments as (
    {{ current_rows('payment') }}
),

-- Where nobody records payments, nothing is known of what came in: not that nothing did.
payments_recorded as (
    select count(*) > 0 as are_recorded
    from payments
),

-- A credit note or a return makes nobody a customer.
first_bookings as (
    select
        account_id,
        node_key,
        booked_on,
        row_number() over (partition by account_id order by booked_on, booking_id) as place
    from bookings
    where account_id is not null and coalesce(amount_cents, 0) >= 0
),

-- What was paid beyond one instalment does not pay another; and a rate of exchange moves no rate of collection.
installments as (
    select
        contracts.node_key,
        installments.due_on,
        installments.currency,
        rates.rate,
        installments.amount_original,
        case
            when installments.paid_original is null or installments.paid_on > runs.as_of_date then 0
            when installments.amount_original < 0
                then greatest(installments.paid_original, installments.amount_original)
            else least(installments.paid_original, installments.amount_original)
        end as collected_original
    from {{ ref('int_contract_installments') }} as installments
    cross join runs
    inner join contracts on installments.contract_id = contracts.contract_id
    left join rates on installments.currency = rates.currency and installments.due_on = rates.day
    where installments.due_on <= runs.as_of_date
),

due as (
    select
        node_key,
        due_on,
        {{ reporting_cents('amount_original', 'rate', 'currency', 'due_on') }} as due_cents,
        {{ reporting_cents('collected_original', 'rate', 'currency', 'due_on') }} as collected_cents
    from installments
),

cash as (
    select * from {{ ref('int_cash_received') }}
),

measured as (
    select
        'bookings' as metric,
        node_key,
        booked_on as happened_on,
        coalesce(sum(amount_cents), 0) as hundredths,
        count(*) as n,
        null as denominator_hundredths
    from bookings
    group by node_key, booked_on

    union all

    -- Of the bookings whose cost is known, which n counts; of none, it is not known.
    select
        'margin' as metric,
        node_key,
        booked_on as happened_on,
        sum(margin_cents) as hundredths,
        count(margin_cents) as n,
        null as denominator_hundredths
    from bookings
    group by node_key, booked_on

    union all

    select
        'new_customers' as metric,
        node_key,
        booked_on as happened_on,
        count(*) * 100 as hundredths,
        count(*) as n,
        null as denominator_hundredths
    from first_bookings
    where place = 1
    group by node_key, booked_on

    union all

    select
        'cash_due' as metric,
        node_key,
        due_on as happened_on,
        sum(due_cents) as hundredths,
        count(*) as n,
        null as denominator_hundredths
    from due
    group by node_key, due_on

    union all

    select
        'collection_rate' as metric,
        due.node_key,
        due.due_on as happened_on,
        sum(due.collected_cents) as hundredths,
        count(*) as n,
        sum(due.due_cents) as denominator_hundredths
    from due
    inner join payments_recorded on payments_recorded.are_recorded
    group by due.node_key, due.due_on

    union all

    select
        'cash_collected' as metric,
        node_key,
        received_on as happened_on,
        sum(amount_cents) as hundredths,
        count(*) as n,
        null as denominator_hundredths
    from cash
    group by node_key, received_on
),

final as (
    select
        metric,
        node_key,
        happened_on,
        cast(hundredths as bigint) as hundredths,
        cast(n as bigint) as n,
        cast(denominator_hundredths as bigint) as denominator_hundredths
    from measured
)

select * from final
