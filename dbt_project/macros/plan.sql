{#- What the plan's models say in several places. -#}

{#- Rates among the metrics of a plan (flows/config/plan/metrics.py): they do not add up over periods and nodes. -#}
{% macro rate_metrics() -%}
    {{ return("('collection_rate', 'numeric_distribution', 'sell_through')") }}
{%- endmacro %}

{#- Results that are measured whether a plan asks for them or not. -#}
{% macro result_metrics() -%}
    {{ return(
        "('bookings', 'won_count', 'margin', 'cash_due', 'cash_collected', 'collection_rate', 'new_customers',"
        " 'numeric_distribution', 'sell_through')"
    ) }}
{%- endmacro %}

{#- Money, count or percent: the unit of a metric that a plan may set targets for. -#}
{% macro metric_unit(metric) -%}
    case
        when {{ metric }} in ('bookings', 'margin', 'cash', 'cash_due', 'cash_collected') then 'money'
        when {{ metric }} in {{ rate_metrics() }} then 'percent'
        else 'count'
    end
{%- endmacro %}

{#- The name of a source's plan version, told apart from the plan file's that is called the same. -#}
{% macro source_version_name(source_version, plan_version) -%}
    case
        when {{ plan_version }}.plan_version is null then {{ source_version }}.plan_version
        else concat({{ source_version }}.plan_version, ' (source)')
    end
{%- endmacro %}
