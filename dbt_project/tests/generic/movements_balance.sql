{#- Every deal's own row balances, so every sum of rows does. -#}
{% test movements_balance(model) %}

select *
from {{ model }}
where start_amount + joined_amount + change_amount - left_amount <> end_amount

{% endtest %}
