-- Grain: one deal all of whose signed contracts are cancelled, and the night on which the last of them was.
with

contracts as (
    select * from {{ ref('int_contract_cancellations') }}
),

every_contract as (
    select
        coalesce(contracts.opportunity_id, current_contracts.opportunity_id) as opportunity_id,
        contracts.cancelled_on
    from {{ ref('int_contracts') }} as current_contracts
    full join contracts on current_contracts.contract_id = contracts.contract_id
    where current_contracts.is_signed or contracts.contract_id is not null
),

final as (
    select
        opportunity_id,
        max(cancelled_on) as cancelled_on
    from every_contract
    where opportunity_id is not null
    group by opportunity_id
    having count(cancelled_on) = count(*)
)

select * from final
