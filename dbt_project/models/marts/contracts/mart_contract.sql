-- Grain: one contract as of the night, signed or not.

with contracts as (

    select * from {{ ref('int_contracts') }}

),

accounts as (

    select
        account_id,
        name
    from {{ ref('dim_account') }}

),

installments as (

    select * from {{ ref('int_contract_installments') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

-- Payments in another currency than their contract are not added up with it.
collected as (

    select
        installments.contract_id,
        count(*) as n_installments,
        sum(installments.paid_original) as paid_original,
        sum(case when installments.due_on <= run.as_of_date then installments.amount_original end) as due_original
    from installments
    cross join run
    inner join contracts
        on installments.contract_id = contracts.contract_id and installments.currency = contracts.currency
    group by installments.contract_id

),

final as (

    select
        contracts.contract_id,
        contracts.opportunity_id,
        contracts.account_id,
        coalesce(accounts.name, contracts.account_name) as account_name,
        contracts.owner_id,
        contracts.node_key,
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
        cast(coalesce(collected.n_installments, 0) as bigint) as n_installments,
        contracts.delivery_terms,
        contracts.delivery_due_on,
        contracts.main_terms,
        cast(coalesce(collected.due_original, 0) as decimal(18, 2)) as due_original,
        cast(coalesce(collected.paid_original, 0) as decimal(18, 2)) as paid_original,
        run.as_of_date,
        run.run_id
    from contracts
    cross join run
    left join accounts on contracts.account_id = accounts.account_id
    left join collected on contracts.contract_id = collected.contract_id

)

select * from final
