{#- Places beside the configured stages, which count from 1. -#}

{#- Open, in a stage that nobody recorded or that is not configured. -#}
{% macro unknown_stage_no() %}0{% endmacro %}

{#- The place of a stage that somebody recorded: where it is not configured, the deal is open in none that we know. -#}
{% macro listed_stage_no(stage_no) -%}
    coalesce({{ stage_no }}, {{ unknown_stage_no() }})
{%- endmacro %}

{#- No longer in the CRM. -#}
{% macro gone_stage_no() %}-1{% endmacro %}

{#- Merged into another deal, which stands for it from then on. -#}
{% macro merged_stage_no() %}-2{% endmacro %}


{#- Whether a deal that was open, and is, took a step: from a stage that somebody recorded to a later one. -#}
{% macro is_advance(previous_stage_no, stage_no) -%}
    ({{ previous_stage_no }} > 0 and {{ stage_no }} > {{ previous_stage_no }})
{%- endmacro %}
