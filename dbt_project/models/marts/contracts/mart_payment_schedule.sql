-- Grain: one instalment of one signed contract.

{{ config(materialized='view') }}

with installments as (

    select * from {{ in_version(ref('int_contract_installments')) }}

),

contracts as (

    select
        contract_no,
        contract_id,
        account_id,
        account_name,
        owner_id,
        node_no,
        signed_on
    from {{ in_version(ref('int_contracts')) }}

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
        contracts.contract_id,
        installments.installment,
        installments.payment_id,
        installments.origin,
        installments.kind,
        {{ ratio('installments.share_bp', '10000') }} as share,
        contracts.account_id,
        contracts.account_name,
        contracts.owner_id,
        nodes.node_key,
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
    inner join contracts on installments.contract_no = contracts.contract_no
    inner join nodes on contracts.node_no = nodes.node_no

)

select * from final
