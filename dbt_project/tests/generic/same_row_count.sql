{#- The model has as many rows as `to` (under `to_where`): nothing lost, nothing fanned out. -#}
{% test same_row_count(model, to, to_where='true') %}

with counted as (

    select
        (select count(*) from {{ model }}) as n_here,
        (select count(*) from {{ to }} where {{ to_where }}) as n_there

)

select *
from counted
where n_here <> n_there

{% endtest %}
