{#- What the CRM's history and our nights tell of a deal, each attribute by itself: its name, and the column of its value. -#}
{% macro history_attributes() -%}
    {{ return({
        'stage': 'stage_no', 'amount': 'amount_cents', 'close_month': 'close_day_no', 'owner': 'node_no',
    }) }}
{%- endmacro %}
