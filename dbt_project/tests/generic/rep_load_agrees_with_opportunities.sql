{#- The newest week of each rep ends with the deals that are open tonight. -#}
{% test rep_load_agrees_with_opportunities(model) %}

with newest as (

    select
        node_key,
        open_count
    from {{ model }}
    where week_start_on = (select max(week_start_on) from {{ model }}) and open_count > 0

),

tonight as (

    select
        node_key,
        count(*) as open_count
    from {{ ref('fct_opportunity') }}
    where not is_closed
    group by node_key

)

select coalesce(newest.node_key, tonight.node_key) as node_key
from newest
full join tonight on newest.node_key = tonight.node_key
where newest.open_count is distinct from tonight.open_count

{% endtest %}
