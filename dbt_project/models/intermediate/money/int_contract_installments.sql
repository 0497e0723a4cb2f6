-- Grain: one instalment of one signed contract: as recorded, else as its terms of payment state.

{{ config(database=target.database, schema='basis') }}

with contracts as (

    select * from {{ ref('int_contracts') }}
    where is_signed

),

payments as (

    {{ current_rows('payment') }}

),

terms as (

    select
        *,
        sum(share_bp) over (
            partition by payment_terms order by installment rows between unbounded preceding and current row
        ) as share_until_bp
    from {{ ref('stg_night__payment_terms') }}
    where share_bp is not null

),

recorded as (

    select
        contracts.contract_no,
        payments.payment_id,
        coalesce(
            payments.installment,
            row_number() over (
                partition by contracts.contract_no order by payments.due_on nulls last, payments.payment_id
            )
        ) as installment,
        'recorded' as origin,
        cast(null as {{ dbt.type_string() }}) as kind,
        cast(null as integer) as share_bp,
        payments.amount as amount_original,
        coalesce(payments.currency, contracts.currency) as currency,
        payments.due_on,
        payments.paid_on,
        coalesce(payments.paid_amount, case when payments.paid_on is not null then payments.amount end) as paid_original
    from payments
    inner join contracts on payments.contract_id = contracts.contract_id

),

with_records as (

    select distinct contract_no
    from recorded

),

-- Each instalment is the rounded sum up to it less the one before it: together they are the contract to the cent.
stated as (

    select
        contracts.contract_no,
        contracts.amount_original,
        contracts.currency,
        contracts.signed_on,
        contracts.delivery_due_on,
        terms.installment,
        terms.kind,
        terms.share_bp,
        coalesce(terms.days, 0) as days,
        terms.share_until_bp
    from contracts
    inner join terms on contracts.payment_terms = terms.payment_terms
    left join with_records on contracts.contract_no = with_records.contract_no
    where with_records.contract_no is null

),

derived as (

    select
        contract_no,
        cast(null as {{ dbt.type_string() }}) as payment_id,
        installment,
        'terms' as origin,
        kind,
        share_bp,
        cast(
            round(cast(amount_original as decimal(28, 2)) * share_until_bp / 10000, 2)
            - round(cast(amount_original as decimal(28, 2)) * (share_until_bp - share_bp) / 10000, 2) as decimal(18, 2)
        ) as amount_original,
        currency,
        -- Only signature and delivery have a day in the contract: nobody knows yet when a customer will accept.
        case
            when kind = 'advance' then {{ add_days('signed_on', 'days') }}
            when kind = 'delivery' then {{ add_days('delivery_due_on', 'days') }}
        end as due_on,
        cast(null as date) as paid_on,
        cast(null as decimal(18, 2)) as paid_original
    from stated

),

unioned as (

    select * from recorded
    union all
    select * from derived

),

final as (

    select
        contract_no,
        payment_id,
        cast(installment as integer) as installment,
        origin,
        kind,
        share_bp,
        amount_original,
        currency,
        due_on,
        paid_on,
        paid_original
    from unioned

)

select * from final
