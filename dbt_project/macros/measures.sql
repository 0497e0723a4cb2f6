{#- Lists of columns, so that a model that sums many of them says so once. -#}

{#- `cast(sum(x) as bigint) as x` for each of `columns`, those of `relation` where one is named. -#}
{% macro sum_each(columns, relation=none) -%}
    {%- for column in columns -%}
        cast(sum({{ relation ~ '.' if relation }}{{ column }}) as bigint) as {{ column }}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- The columns of `relation`, one a line. -#}
{% macro each_column(columns, relation=none) -%}
    {%- for column in columns -%}
        {{ relation ~ '.' if relation }}{{ column }}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}
