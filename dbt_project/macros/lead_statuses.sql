{#- What the status of a lead says, where it says it in one of the usual words. -#}

{% macro is_lead_status(status, kind) -%}
    {%- set words = {
        'converted': ['converted', 'qualified and converted', '已转换', '已转化', '已转商机'],
        'disqualified': [
            'disqualified', 'unqualified', 'not qualified', 'dead', 'junk', 'junk lead', 'invalid', 'lost', 'rejected',
            'closed - not converted', '不合格', '无效', '无效线索', '已关闭', '流失', '已流失', '放弃', '已放弃',
        ],
    } -%}
    lower(trim({{ status }})) in ('{{ words[kind] | join("', '") }}')
{%- endmacro %}
