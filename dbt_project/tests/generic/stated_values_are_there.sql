{#- A view refuses no null, as a table does: the columns that are never null by its contract are asked here, in one read. -#}
{% test stated_values_are_there(model) %}

{%- set stated = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.identifier -%}
        {%- for column in node.columns.values() -%}
            {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
                {%- do stated.append(column.name) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if not stated -%}
        {{ exceptions.raise_compiler_error('no column of ' ~ model.identifier ~ ' is never null by its contract') }}
    {%- endif -%}
{%- endif %}

select *
from {{ model }}
where {% for column in stated %}{{ column }} is null{{ ' or ' if not loop.last }}{% else %}false{% endfor %}

{% endtest %}
