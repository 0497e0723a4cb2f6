-- Grain: one contract as of the night, signed or not.

{{ config(materialized='view') }}

with contracts as (

    select * from {{ in_version(ref('int_contracts')) }}

),

collections as (

    select * from {{ in_version(ref('int_contract_collections')) }}

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
        contracts.opportunity_id,
        contracts.account_id,
        coalesce(contracts.crm_account_name, contracts.account_name) as account_name,
        contracts.owner_id,
        nodes.node_key,
        contracts.is_signed,
        contracts.signed_on,
        contracts.status,
        contracts.archive_status,
        {{ cents_to_amount('contracts.amount_cents') }} as amount,
        {{ cents_to_amount('contracts.amount_cents - contracts.cost_cents') }} as margin,
        contracts.amount_original,
        contracts.currency,
        contracts.payment_terms,
        contracts.n_installments > 0 as has_readable_terms,
        cast(coalesce(collections.n_installments, 0) as bigint) as n_installments,
        contracts.delivery_terms,
        contracts.delivery_due_on,
        contracts.main_terms,
        cast(coalesce(collections.due_original, 0) as decimal(18, 2)) as due_original,
        cast(coalesce(collections.paid_original, 0) as decimal(18, 2)) as paid_original,
        run.as_of_date,
        run.run_id
    from contracts
    cross join run
    inner join nodes on contracts.node_no = nodes.node_no
    left join collections on contracts.contract_no = collections.contract_no

)

select * from final
