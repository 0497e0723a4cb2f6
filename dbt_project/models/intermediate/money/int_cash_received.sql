-- Grain: one payment that came in up to and including the as-of date, of whatever contract.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

rates as (
    select * from {{ ref('int_fx_rates_daily') }}
),

contracts as (
    select
        contract_id,
        opportunity_id,
        owner_id,
        node_no,
        currency
    from {{ ref('int_contracts') }}
),

unassigned as (
    select node_no from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}
),

payments as (
    {{ current_rows('payment') }}
),

-- Without a day, on the night that showed it.
received as (
    select
        payments.payment_id,
        payments.contract_id,
        contracts.opportunity_id,
        contracts.owner_id,
        coalesce(contracts.node_no, unassigned.node_no) as node_no,
        coalesce(payments.paid_amount, case when payments.paid_on is not null then payments.amount end) as amount,
        coalesce(payments.currency, contracts.currency, runs.reporting_currency) as currency,
        coalesce(payments.paid_on, payments._observed_on) as received_on
    from payments
    cross join runs
    cross join unassigned
    left join contracts on payments.contract_id = contracts.contract_id
),

final as (
    select
        received.payment_id,
        received.contract_id,
        received.opportunity_id,
        received.owner_id,
        received.node_no,
        received.received_on,
        {{ reporting_cents('received.amount', 'rates.rate', 'received.currency', 'received.received_on') }}
            as amount_cents
    from received
    cross join runs
    left join rates on received.currency = rates.currency and received.received_on = rates.day
    where received.amount <> 0 and received.received_on <= runs.as_of_date
)

select * from final
