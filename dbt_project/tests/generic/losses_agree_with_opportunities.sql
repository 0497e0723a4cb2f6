{#- The company's losses and their amounts over all months are those of the opportunities that are lost. -#}
{% test losses_agree_with_opportunities(model) %}

with here as (

    select
        sum(losses) as losses,
        sum(amount_lost) as amount
    from {{ model }}
    where
        node_key = 'company' and period_kind = 'month'
        and stage = 'all' and reason = 'all' and competitor = 'all' and segment = 'all'

),

there as (

    select
        count(*) as losses,
        sum(amount) as amount
    from {{ ref('fct_opportunity') }}
    where is_closed and not is_won and closed_on in (select day from {{ ref('int_dates') }})

)

select *
from here
cross join there
where coalesce(here.losses, 0) <> there.losses or coalesce(here.amount, 0) <> coalesce(there.amount, 0)

{% endtest %}
