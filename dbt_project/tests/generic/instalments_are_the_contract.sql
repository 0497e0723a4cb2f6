{#- Instalments that follow from a contract's terms are together its amount, to the cent. -#}
{% test instalments_are_the_contract(model, to) %}

with summed as (

    select
        contract_id,
        sum(amount_original) as amount_original
    from {{ model }}
    where origin = 'terms'
    group by contract_id

)

select
    summed.contract_id,
    summed.amount_original,
    contracts.amount_original as contract_amount
from summed
inner join {{ to }} as contracts on summed.contract_id = contracts.contract_id
where summed.amount_original <> contracts.amount_original

{% endtest %}
