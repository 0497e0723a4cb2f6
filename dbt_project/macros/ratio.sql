{#- A rate: one division of exact numbers, null (never 0) without a denominator. -#}
{% macro ratio(numerator, denominator) -%}
    case when ({{ denominator }}) <> 0 then cast(({{ numerator }}) as double) / ({{ denominator }}) end
{%- endmacro %}
