{#- Ages in days at which a cohort of created deals is judged. -#}
{% macro cohort_ages() -%}{{ return([30, 60, 90, 180, 365]) }}{%- endmacro %}

{#- Counts and cents that win rates are made of, each summed over deals. -#}
{% macro win_rate_measures() -%}
    {%- set measures = [
        'won_count', 'lost_count', 'won_cents', 'lost_cents', 'won_priced_n', 'lost_priced_n', 'created_n',
        'created_won_n', 'created_lost_n', 'created_open_n', 'created_undated_n', 'created_deleted_n',
    ] -%}
    {%- for age in cohort_ages() -%}{%- do measures.append('won_within_' ~ age ~ 'd_n') -%}{%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}
