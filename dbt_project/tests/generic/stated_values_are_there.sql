{#- A view refuses no null, as a table does: the columns that are never null by its contract are asked here, in one read. -#}
{% test stated_values_are_there(model, columns) %}

select *
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}

{% endtest %}
