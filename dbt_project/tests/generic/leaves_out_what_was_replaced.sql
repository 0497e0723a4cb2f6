{#- The model has the rows of `log` without as many as `replaced` names: a place in the log stands for one row alone. -#}
{% test leaves_out_what_was_replaced(model, log, replaced) %}

with counted as (

    select
        (select count(*) from {{ model }}) as n_here,
        (select count(*) from {{ log }}) as n_log,
        (select count(*) from {{ replaced }}) as n_replaced

)

select *
from counted
where n_here <> n_log - n_replaced

{% endtest %}
