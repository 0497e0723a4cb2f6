{#- The columns of the waterfall, in their order; what sums and tests of it are written with. -#}
{% macro waterfall_columns() -%}
    {{ return({
        'joined': ['created', 'pulled_in', 'reopened', 'transferred_in'],
        'left': ['pushed_out', 'transferred_out', 'won', 'lost', 'deleted'],
    }) }}
{%- endmacro %}
