-- Grain: one instalment of one signed contract.

with installments as (

    select * from {{ ref('int_contract_installments') }}

),

contracts as (

    select
        contract_id,
        account_id,
        account_name,
        owner_id,
        node_key,
        signed_on
    from {{ ref('int_contracts') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        installments.contract_id,
        installments.installment,
        installments.payment_id,
        installments.origin,
        installments.kind,
        {{ ratio('installments.share_bp', '10000') }} as share,
        contracts.account_id,
        contracts.account_name,
        contracts.owner_id,
        contracts.node_key,
        contracts.signed_on,
        installments.amount_original,
        installments.currency,
        installments.due_on,
        installments.paid_on,
        installments.paid_original,
        coalesce(
            installments.due_on < run.as_of_date
            and coalesce(installments.paid_original, 0) < installments.amount_original,
            false
        ) as is_overdue,
        run.as_of_date,
        run.run_id
    from installments
    cross join run
    inner join contracts on installments.contract_id = contracts.contract_id

)

select * from final
