-- Grain: one signed contract with instalments in its own currency: how many, what is due of them, and what is paid.

{{ config(database=target.database, schema='basis') }}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

contracts as (

    select
        contract_no,
        currency
    from {{ ref('int_contracts') }}

),

-- Payments in another currency than their contract are not added up with it.
final as (

    select
        installments.contract_no,
        cast(count(*) as integer) as n_installments,
        cast(
            sum(case when installments.due_on <= run.as_of_date then installments.amount_original end) as decimal(18, 2)
        ) as due_original,
        cast(sum(installments.paid_original) as decimal(18, 2)) as paid_original
    from {{ ref('int_contract_installments') }} as installments
    cross join run
    inner join contracts
        on installments.contract_no = contracts.contract_no and installments.currency = contracts.currency
    group by installments.contract_no

)

select * from final
