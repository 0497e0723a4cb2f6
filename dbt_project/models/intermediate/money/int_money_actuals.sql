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
        contract_no,
        node_no
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
        node_no,
        booked_on,
        row_number() over (partition by account_id order by booked_on, booking_id) as place
    from bookings
    where account_id is not null and coalesce(amount_cents, 0) >= 0
),

-- What was paid beyond one instalment does not pay another; and a rate of exchange moves no rate of collection.
installments as (
    select
        contracts.node_no,
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
    inner join contracts on installments.contract_no = contracts.contract_no
    left join rates on installments.currency = rates.currency and installments.due_on = rates.day
    where installments.due_on <= runs.as_of_date
),

due as (
    select
        node_no,
        due_on,
        {{ reporting_cents('amount_original', 'rate', 'currency', 'due_on') }} as due_cents,
        {{ reporting_cents('collected_original', 'rate', 'currency', 'due_on') }} as collected_cents
    from installments
),

cash as (
    select * from {{ ref('int_cash_received') }}
),

booked as (
    select
        node_no,
        booked_on,
        coalesce(sum(amount_cents), 0) as amount_cents,
        count(*) as n,
        sum(margin_cents) as margin_cents,
        count(margin_cents) as margin_n
    from bookings
    group by node_no, booked_on
),

fallen_due as (
    select
        node_no,
        due_on,
        sum(due_cents) as due_cents,
        sum(collected_cents) as collected_cents,
        count(*) as n
    from due
    group by node_no, due_on
),

measured as (
    select
        'bookings' as metric,
        node_no,
        booked_on as happened_on,
        amount_cents as hundredths,
        n,
        null as denominator_hundredths
    from booked

    union all

    -- Of the bookings whose cost is known, which n counts; of none, it is not known.
    select
        'margin' as metric,
        node_no,
        booked_on as happened_on,
        margin_cents as hundredths,
        margin_n as n,
        null as denominator_hundredths
    from booked

    union all

    select
        'new_customers' as metric,
        node_no,
        booked_on as happened_on,
        count(*) * 100 as hundredths,
        count(*) as n,
        null as denominator_hundredths
    from first_bookings
    where place = 1
    group by node_no, booked_on

    union all

    select
        'cash_due' as metric,
        node_no,
        due_on as happened_on,
        due_cents as hundredths,
        n,
        null as denominator_hundredths
    from fallen_due

    union all

    select
        'collection_rate' as metric,
        fallen_due.node_no,
        fallen_due.due_on as happened_on,
        fallen_due.collected_cents as hundredths,
        fallen_due.n,
        fallen_due.due_cents as denominator_hundredths
    from fallen_due
    inner join payments_recorded on payments_recorded.are_recorded

    union all

    select
        'cash_collected' as metric,
        node_no,
        received_on as happened_on,
        sum(amount_cents) as hundredths,
        count(*) as n,
        null as denominator_hundredths
    from cash
    group by node_no, received_on
),

final as (
    select
        metric,
        node_no,
        happened_on,
        cast(hundredths as bigint) as hundredths,
        cast(n as bigint) as n,
        cast(denominator_hundredths as bigint) as denominator_hundredths
    from measured
)

select * from final
