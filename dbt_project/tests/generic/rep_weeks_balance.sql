{#- What was open, came in and left is what is open; a week begins with what the one before ended with. -#}
{% test rep_weeks_balance(model) %}

select
    node_key,
    week_start_on
from {{ model }}
where
    open_count <> open_before + taken_in - handed_over - won - lost - removed
    or piled_count > open_count

{% endtest %}
