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

{#-
    The integer counts of a basis in both windows as one number, those of the second in its upper 32 bits, and of
    such a number, or a sum of such, those of one window. No sum fills its bits: deals are numbered by an integer.
-#}
{% macro both_windows(basis) -%}
    {%- set windows = dwell_windows() -%}
    n_{{ basis }}_{{ windows[0] }} + cast(n_{{ basis }}_{{ windows[1] }} as bigint) * 4294967296
{%- endmacro %}

{% macro of_window(column, window) -%}
    {%- if window == dwell_windows()[0] -%} ({{ column }} & 4294967295)
    {%- else -%} {{ upper_half(column) }}
    {%- endif -%}
{%- endmacro %}
