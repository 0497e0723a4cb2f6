-- Grain: one opportunity of which the CRM keeps a history: between which days that speaks of each of its attributes.

{% set attributes = history_attributes() -%}
with final as (

    select
        okey,
        {% for attribute, column in attributes.items() -%}
            min(case when {{ column }} is not null then changed_on end) as {{ attribute }}_from_on,
            max(case when {{ column }} is not null then changed_on end) as {{ attribute }}_until_on,
            max(case when is_other_{{ attribute }} then changed_on end) as {{ attribute }}_other_on
            {%- if not loop.last %},
            {% endif -%}
        {%- endfor %}
    from {{ ref('int_opportunity_crm_rows') }}
    group by okey

)

select * from final
