{#- Join condition: both rows are about the same plan version, metric and period. -#}
{% macro same_cell(left, right) -%}
    {{ left }}.plan_version = {{ right }}.plan_version
        and {{ left }}.metric = {{ right }}.metric
        and {{ left }}.period_kind = {{ right }}.period_kind
        and {{ left }}.period_start_on = {{ right }}.period_start_on
{%- endmacro %}
