{#- How long deals stay in a stage: three ways to count a stay, over two windows of entry. -#}

{#- The stays that each basis counts, and the entries that each window holds. -#}
{% macro dwell_bases() -%}{{ return(['every_stay', 'latest', 'cumulative']) }}{%- endmacro %}
{% macro dwell_windows() -%}{{ return(['all_time', 'last_365_days']) }}{%- endmacro %}

{#- One name a basis and window, for columns that stand side by side: one sort serves them all. -#}
{% macro dwell_variants() -%}
    {%- set variants = [] -%}
    {%- for window in dwell_windows() -%}
        {%- for basis in dwell_bases() -%}
            {%- do variants.append({'basis': basis, 'window': window, 'name': basis ~ '_' ~ window}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(variants) }}
{%- endmacro %}

{#- Columns that count stays of one length, of each variant. -#}
{% macro dwell_counts() -%}
    {%- set columns = [] -%}
    {%- for variant in dwell_variants() -%}
        {%- do columns.append('n_' ~ variant.name) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
