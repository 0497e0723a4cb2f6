{#- The columns together identify a row; the values that do not are the failures. -#}
{% test unique_combination(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as times
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
