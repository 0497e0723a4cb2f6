{#-
    First day of the month that a deal is expected to close in; null where none was stated (0). `months` are the fiscal
    months joined by the number; a month so far off that they do not list it is one of the wall calendar.
-#}
{% macro close_month(number, months) -%}
    coalesce({{ months }}.month_start_on, case when {{ number }} > 0 then {{ month_of_number(number) }} end)
{%- endmacro %}
