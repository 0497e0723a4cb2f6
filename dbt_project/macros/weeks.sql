{#- Weeks begin on Monday (ISO 8601) and are numbered from that of 1970-01-05, so that a number orders and compares them. -#}

{% macro first_monday() %}cast('1970-01-05' as date){% endmacro %}

{#- Number of the week in which the day lies. -#}
{% macro week_number(day) -%}
    cast(floor({{ days_between(first_monday(), day) }} / 7.0) as integer)
{%- endmacro %}

{#- Monday of the week with this number. -#}
{% macro week_of_number(number) -%}
    {{ add_days(first_monday(), number ~ ' * 7') }}
{%- endmacro %}
