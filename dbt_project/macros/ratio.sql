{#- A rate: one division of exact numbers, null (never 0) without a denominator. -#}
{% macro ratio(numerator, denominator) -%}
    case when ({{ denominator }}) <> 0 then cast(({{ numerator }}) as double) / ({{ denominator }}) end
{%- endmacro %}

{#- The value, 0 for a negative one, and null for null: `greatest` would make that 0. -#}
{% macro not_negative(value) -%}
    case when ({{ value }}) < 0 then 0 else {{ value }} end
{%- endmacro %}

{#- A rate in hundredths of a percent (92.50 % is 9250), whole; null without a denominator. -#}
{% macro rate_hundredths(numerator, denominator) -%}
    case
        when ({{ denominator }}) <> 0
            then cast(round(cast({{ numerator }} as double) * 10000 / ({{ denominator }}), 0) as bigint)
    end
{%- endmacro %}
